"""Ctrl-C as a note to look at, for what must neither miss it nor be cut off in the middle.

Python raises KeyboardInterrupt between any two instructions. In a finalizer it is printed and
forgotten, as that of a Popen; before a new process is assigned, nobody knows of that process.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

STOPS = (signal.SIGINT, signal.SIGTERM)
"""What ends a command: Ctrl-C, and what `kill` and `timeout` send."""


@dataclass
class CtrlC:
    """Whether Ctrl-C has come."""

    came: bool = False


@contextmanager
def noted_ctrl_c() -> Iterator[CtrlC]:
    """In the block Ctrl-C raises nothing; it is noted in what the block is given.

    So is SIGTERM, where the command line handles it alike. Off the main thread, which alone may
    handle signals, and where a signal is ignored or ends the process, none is noted.
    """
    noted = CtrlC()
    on_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in STOPS if on_main}

    def note(number: int, frame: FrameType | None) -> None:
        noted.came = True

    handled = {number: handler for number, handler in before.items() if callable(handler)}
    for number in handled:
        signal.signal(number, note)
    try:
        yield noted
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)
