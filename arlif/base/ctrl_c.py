"""Ctrl-C where it must neither be missed nor cut off in the middle, and where none is seen.

Python raises KeyboardInterrupt between any two instructions. In a finalizer it is printed and
forgotten, as that of a Popen; before a new process is assigned, nobody knows of that process.
In a library that works for minutes it waits for the end, and in a callback of that it may be lost.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

STOPS = (signal.SIGINT, signal.SIGTERM)
"""What ends a command: Ctrl-C, and what `kill` and `timeout` send."""

LOOK_S = 0.05


@dataclass
class CtrlC:
    """came: the signal that has come, 0 where none has."""

    came: int = 0


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
        noted.came = number

    handled = {number: handler for number, handler in before.items() if callable(handler)}
    for number in handled:
        signal.signal(number, note)
    try:
        yield noted
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)


def beside(call: Callable[[], T], stop: Callable[[], object]) -> T:
    """What `call` returns, in a thread of its own; Ctrl-C ends it by `stop` and is raised here.

    For a library that lets other threads work meanwhile.
    """
    with noted_ctrl_c() as ctrl_c, ThreadPoolExecutor(1) as worker:
        running = worker.submit(call)
        while not running.done():
            wait([running], LOOK_S)
            if ctrl_c.came:
                stop()  # again and again: what is stopped before it has begun goes on
    if ctrl_c.came:
        signal.raise_signal(ctrl_c.came)
    return running.result()
