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
    u = ops.saturate(ops.multiply(state.u, neuron.decay) + 1 - x)
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
    ops.multiply(x)  # wrong
    ops.multiply(x, neuron.decay, 8)  # wrong
    ops.saturate("x")  # wrong
    ops.tanh(x)  # wrong
    ArlifState(x)  # wrong
    return ops.where(x >= y, x)  # wrong


def interpreters(integers: NDArray[np.int32], reals: NDArray[np.float64], neuron: Any) -> None:
    lif_soft_step(IntegerOps(neuron.state_format, 8), neuron, LifState(integers), integers)
    lif_soft_step(NumpyRealOps(), neuron, LifState(reals), reals)
    lif_soft_step(NumpyRealOps(), neuron, ArlifState(reals, reals), reals)  # wrong
    lif_soft_step(neuron.state_format, neuron, LifState("text"), reals)  # wrong
"""

NEURONS = """
from typing import Any

from arlif.core.neuron import Neuron, constant, learned
from arlif.core.ops import Ops, Value
from arlif.core.real_neurons import RealOps, RealValue
from arlif.core.steps import After


class Leaky(Neuron):
    state = ("u",)
    decay: float = constant(0.9, low=0, high=1)
    threshold: float = learned(1.0, low=0.1, per="channel")

    def step(self, ops: Ops, state: Any, x: Value) -> After:
        h = ops.saturate(ops.multiply(state.u, self.decay) + x)
        s = ops.fire(h, self.threshold)
        return s, (ops.saturate(h - ops.select(s, self.threshold, 0)),)


class Gated(Neuron):
    state = ("u", "a")
    slope: Any = learned(2.0)

    def gate(self, ops: RealOps, a: RealValue) -> Any:
        return 1 - ops.sigmoid(self.slope * a) / 2

    def step(self, ops: Ops, state: Any, x: Value) -> After:
        h = ops.saturate(ops.multiply(state.u, ops.lookup(self.gate, state.a)) + x)
        s = ops.fire(h, 1)
        return s, (ops.select(s, 0, h), h * h)  # wrong


Leaky(), Leaky(0.5), Leaky(threshold=2.0)
Leaky(decay="half")  # wrong
Leaky(tau=2.0)  # wrong
Leaky().decay = 0.5  # wrong
constant(0.9, per=3)  # wrong
"""


SOURCES = {"steps": STEPS, "neurons": NEURONS}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says of both, by the rules of this project, whose results `make lint` has kept."""
    folder = tmp_path_factory.mktemp("own")
    for name, source in SOURCES.items():
        (folder / f"{name}.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *(str(folder / f"{name}.py") for name in SOURCES)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", SOURCES)
def test_mypy_refuses_what_is_wrong_and_nothing_else(name: str, said: str) -> None:
    refused = {int(line) for line in re.findall(rf"^\S*{name}\.py:(\d+): error", said, re.M)}
    lines = enumerate(SOURCES[name].splitlines(), 1)
    wrong = {number for number, line in lines if line.endswith("# wrong")}
    assert refused == wrong, said
    assert len(wrong) >= 5
