"""Ctrl-C, at whatever moment of a command, is one line and an exit code."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hw_sim.cli.exits import ExitCode


@contextmanager
def one_line_on_ctrl_c() -> Iterator[None]:
    """Exit with ExitCode.INTERRUPTED where Ctrl-C ended the block.

    Whatever became of it: modules that are interrupted while they are imported raise errors of
    their own, and a training says in an error of its own how it is continued.
    """
    came = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True
        signal.default_int_handler(number, frame)

    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # not where a shell started it to run beside
        signal.signal(signal.SIGINT, note)
    try:
        yield
    except SystemExit as stop:
        if stop.code == ExitCode.INTERRUPTED:
            sys.stderr.write("stopped\n")
        if came and stop.code:
            sys.exit(ExitCode.INTERRUPTED)
        raise
    except (Exception, KeyboardInterrupt) as error:
        if not came and not isinstance(error, KeyboardInterrupt):
            raise
        sys.stderr.write("stopped\n")
        sys.exit(ExitCode.INTERRUPTED)
    finally:
        if before is signal.default_int_handler:
            signal.signal(signal.SIGINT, before)
