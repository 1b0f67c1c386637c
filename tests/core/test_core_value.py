"""A step knows numbers as Value: mypy refuses what some interpreter does not have."""

import re
import subprocess
import sys

import pytest
from support.places import ROOT

pytest.importorskip("mypy")

STEPS = """
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.ops import IntegerOps, Ops, Value
from arlif.core.real_neurons import NumpyRealOps
from arlif.core.steps import ArlifState, LifState, lif_soft_step


def right(ops: Ops, neuron: Any, state: ArlifState, x: Value) -> tuple[Value, ArlifState]:
    u = ops.saturate(ops.multiply(state.u, neuron.decay, 8) + 1 - x)
    s = ops.fire(u, 3 - (-state.r))
    return s, ArlifState(ops.where(1 + u >= x, u, 0), ops.select(s, u - 1.5, 0))


def wrong(ops: Ops, neuron: Any, state: ArlifState, x: Value, y: Value) -> Value:
    state.q  # wrong
    x @ y  # wrong
    x * y  # wrong
    x / 2  # wrong
    abs(x)  # wrong
    x.clip(0, 1)  # wrong
    x[0]  # wrong
    x < y  # wrong
    ops.multiply(x, neuron.decay)  # wrong
    ops.multiply(x, neuron.decay, y)  # wrong
    ops.saturate("x")  # wrong
    ops.tanh(x)  # wrong
    ArlifState(x)  # wrong
    return ops.where(x >= y, x)  # wrong


def interpreters(integers: NDArray[np.int32], reals: NDArray[np.float64], neuron: Any) -> None:
    lif_soft_step(IntegerOps(neuron.state_format), neuron, LifState(integers), integers)
    lif_soft_step(NumpyRealOps(), neuron, LifState(reals), reals)
    lif_soft_step(NumpyRealOps(), neuron, ArlifState(reals, reals), reals)  # wrong
    lif_soft_step(neuron.state_format, neuron, LifState("text"), reals)  # wrong
"""


def test_mypy_refuses_wrong_steps_and_nothing_else(tmp_path):
    path = tmp_path / "steps.py"
    path.write_text(STEPS)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    refused = {int(line) for line in re.findall(r"^\S*steps\.py:(\d+): error", done.stdout, re.M)}
    wrong = {n for n, line in enumerate(STEPS.splitlines(), 1) if line.endswith("# wrong")}
    assert refused == wrong, done.stdout + done.stderr
    assert len(wrong) > 10
