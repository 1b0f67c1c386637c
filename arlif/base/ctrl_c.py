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


@dataclass
class CtrlC:
    """Whether Ctrl-C has come."""

    came: bool = False


@contextmanager
def noted_ctrl_c() -> Iterator[CtrlC]:
    """In the block Ctrl-C raises nothing; it is noted in what the block is given.

    Off the main thread, which alone may handle signals, and where Ctrl-C is ignored, none is noted.
    """
    noted, before = CtrlC(), signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield noted
        return

    def note(number: int, frame: FrameType | None) -> None:
        noted.came = True

    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)
