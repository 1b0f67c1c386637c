"""The solver behind `arlif prove`: what it finds, and that Ctrl-C ends it."""

import os
import signal
from threading import Timer

import pytest

from hw_sim.engines.deployed.proof import decided

pytest.importorskip("bitwuzla", reason="there is no Bitwuzla (pip install bitwuzla)")


def product(bits: int, number: int) -> str:
    """Which two numbers above 1, of half as many bits, have this product?"""
    given = [f"(declare-fun |i {name}| () (_ BitVec {bits}))" for name in "ab"]
    half = [f"(assert (bvult |i {name}| (_ bv{1 << bits // 2} {bits})))" for name in "ab"]
    more = [f"(assert (bvugt |i {name}| (_ bv1 {bits})))" for name in "ab"]
    equal = f"(assert (= (bvmul |i a| |i b|) (_ bv{number} {bits})))"
    return "".join(["(set-logic QF_BV)", *given, *half, *more, equal])


def test_a_solution_is_found_where_there_is_one() -> None:
    found = decided(product(16, 15))
    assert found is not None
    assert sorted(found.values()) == [3, 5]
    assert decided(product(16, 13)) is None


def test_ctrl_c_ends_a_question_that_takes_hours() -> None:
    stop = Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    stop.start()
    with pytest.raises(KeyboardInterrupt):
        decided(product(64, 2**61 - 1))  # a prime
    stop.join()
