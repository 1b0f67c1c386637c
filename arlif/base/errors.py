"""Errors a user can cause; each message says the rule, what was given, and the cure."""


class ArlifError(ValueError):
    """Base of every error that arlif raises on bad input."""


class FormatError(ArlifError):
    """A file is not what its name says, is damaged, or belongs to another numerics version."""


class NetworkError(ArlifError):
    """A network description breaks a rule of the integer specification."""


class LoweringError(ArlifError):
    """A torch module holds something that has no exact integer counterpart."""


class SimulationError(ArlifError):
    """A simulator failed, hung past its time limit, or is not installed."""


class MissingToolError(SimulationError):
    """A program or a package is not installed. cure: the command that installs it."""

    def __init__(self, rule: str, cure: str) -> None:
        super().__init__(f"{rule}; install it with: {cure}")
        self.cure = cure


class WriteError(ArlifError):
    """A file cannot be written: the folder is missing or read-only, the disk is full.

    errno: the system's number of the reason, as OSError has it.
    """

    def __init__(self, message: str, errno: int | None) -> None:
        super().__init__(message)
        self.errno = errno


class UnfinishedError(ArlifError):
    """A training stopped early; what is finished is kept. reason: why and where it stopped."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; continue with resume (--resume)")
        self.reason = reason


def first_line(error: BaseException) -> str:
    """What an error of someone else's code says first; its type where it says nothing."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def require(condition: bool, message: str, error: type[ArlifError] = ArlifError) -> None:
    """Raise `error(message)` unless `condition` holds."""
    if not condition:
        raise error(message)
