"""Ctrl-C as a note: nothing is raised, nothing is lost, and what was before is again after."""

import os
import signal
import threading

import pytest

from arlif.base.ctrl_c import beside, noted_ctrl_c


class Finalized:
    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_it_is_noted_and_raises_nothing_even_in_a_finalizer() -> None:
    with noted_ctrl_c() as ctrl_c:
        assert not ctrl_c.came
        Finalized()
        assert ctrl_c.came
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_sigterm_is_noted_where_it_is_handled() -> None:
    def handler(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, handler)
    try:
        with noted_ctrl_c() as ctrl_c:
            signal.raise_signal(signal.SIGTERM)
        assert ctrl_c.came
        assert signal.getsignal(signal.SIGTERM) is handler
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with noted_ctrl_c():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_error_in_the_block_brings_the_handler_back_too() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), noted_ctrl_c():
        1 / 0  # noqa: B018
    assert signal.getsignal(signal.SIGINT) is before


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with noted_ctrl_c() as ctrl_c:
            signal.raise_signal(signal.SIGINT)
        assert not ctrl_c.came
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_off_the_main_thread_nothing_is_noted() -> None:
    found = []

    def work() -> None:
        with noted_ctrl_c() as ctrl_c:
            found.append(ctrl_c.came)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]


def test_what_works_beside_is_stopped_by_ctrl_c() -> None:
    stopped = threading.Event()
    ended = []

    def endless() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        ended.append(stopped.wait(60))

    with pytest.raises(KeyboardInterrupt):
        beside(endless, stopped.set)
    assert ended == [True]


def test_what_works_beside_returns_and_raises() -> None:
    assert beside(lambda: 3, lambda: pytest.fail("nothing is to be stopped")) == 3
    with pytest.raises(ZeroDivisionError):
        beside(lambda: 1 / 0, lambda: pytest.fail("nothing is to be stopped"))
