"""Ctrl-C or SIGTERM, at whatever moment of a command, is one line and an exit code."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from arlif.base.ctrl_c import STOPS
from hw_sim.cli.exits import ExitCode

BY_DEFAULT = (signal.default_int_handler, signal.SIG_DFL)


@contextmanager
def one_line_on_ctrl_c() -> Iterator[None]:
    """Exit with ExitCode.INTERRUPTED, or TERMINATED, where Ctrl-C or SIGTERM ended the block.

    Whatever became of it: modules that are interrupted while they are imported raise errors of
    their own, and a training says in an error of its own how it is continued. A process that
    SIGTERM ends by itself leaves what it shares with others to be cleared away, with warnings.
    """
    came = 0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = number
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in STOPS}
    # Not where a shell started it to run beside.
    ours = [number for number, handler in before.items() if handler in BY_DEFAULT]
    for number in ours:
        signal.signal(number, note)
    try:
        yield
    except SystemExit as stop:
        if stop.code == ExitCode.INTERRUPTED:
            sys.stderr.write("stopped\n")
        if came and stop.code:
            sys.exit(_code(came))
        raise
    except (Exception, KeyboardInterrupt) as error:
        if not came and not isinstance(error, KeyboardInterrupt):
            raise
        sys.stderr.write("stopped\n")
        sys.exit(_code(came))
    finally:
        for number in ours:
            signal.signal(number, before[number])


def _code(came: int) -> ExitCode:
    return ExitCode.TERMINATED if came == signal.SIGTERM else ExitCode.INTERRUPTED
