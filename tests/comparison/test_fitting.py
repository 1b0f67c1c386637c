"""Units and widths of scale-free neurons: what imported networks change against float."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.nir_euler import Euler
from support.places import SHARED

from arlif.base.errors import ArlifError
from arlif.core.network import Input
from arlif.core.neuron import Neuron, constant, learned
from arlif.core.real_neurons import (
    RealArlif,
    RealClif,
    RealLifHard,
    RealLifReset,
    RealLifSoft,
    RealLifSubtract,
    RealSynaptic,
)
from arlif.quantize import Precision, linearize, quantize
from arlif.quantize.linearized import (
    Current,
    LinearizedNetwork,
    LinearizedPopulation,
    RealDense,
    Term,
)
from arlif.quantize.reach import reach
from arlif.quantize.scale_free import fitted, free_constants, natural
from export.nir import load_nir
from hw_sim.comparison import fitting
from hw_sim.comparison.fitting import Fit, fit, typical
from hw_sim.engines.integer.reference import simulate
from hw_sim.engines.simulation import Record

DT = 1e-4


class Bumped(Neuron):
    """A threshold that is no multiple of the current's unit."""

    state = ("u",)
    threshold: float = learned(1.0)
    decay: float = constant(0.5)

    def step(self, ops, state, x):  # type: ignore[no-untyped-def]
        h = ops.saturate(ops.multiply(state.u, self.decay) + x)
        s = ops.fire(h, self.threshold + 1)
        return s, (ops.select(s, 0, h),)


@pytest.mark.parametrize(
    ("neuron", "free"),
    [
        (RealLifHard(), {"threshold"}),
        (RealLifSoft(), {"threshold"}),
        (RealLifSubtract(hold=0.5), {"threshold", "amount", "hold"}),
        (RealLifReset(leak=0.1, reset=-0.2), {"threshold", "leak", "reset"}),
        (RealLifReset(), {"threshold"}),
        (RealSynaptic(leak=0.1), {"threshold", "leak"}),
        (RealArlif(), set()),
        (RealClif(), set()),
        (Bumped(), set()),
    ],
)
def test_which_neurons_have_a_unit_of_their_own(neuron: Neuron, free: set[str]) -> None:
    """It follows from the step: no tables, and every state constant scales along."""
    assert set(free_constants(neuron) or ()) == free


def network(neuron: Neuron, weight: np.ndarray) -> LinearizedNetwork:
    outputs, inputs = weight.shape
    current = Current((Term("input", weights=RealDense(weight)),), np.zeros(outputs), (outputs,))
    head = Current((Term("n", weights=RealDense(np.eye(outputs))),), np.zeros(outputs), (outputs,))
    return LinearizedNetwork((inputs,), False, (LinearizedPopulation("n", neuron, current),), head)


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("fine", [False, True])
def test_the_unit_of_the_potential_does_not_matter(unit: float, fine: bool) -> None:
    rng = np.random.default_rng(0)
    weight = rng.normal(0, 0.3, (4, 6))
    x = (rng.random((200, 5, 6)) < 0.4).astype(float)
    source = Input((6,), 1.0, 0, 127, static=False)

    def spikes(unit: float) -> np.ndarray:
        neuron = RealLifReset(0.9, unit, 0.01 * unit, -0.1 * unit)
        linear = network(neuron, weight * unit)
        found = fitted(linear, source, Precision(), reach(linear, x, len(x)), fine)
        integers = quantize(found, source, Precision(), len(x))
        record = Record.everything(integers)
        return simulate(integers, source.encode(x), len(x), record).traces["n"].spikes

    # 2**10 is near enough to 1e3 that only the unit's place in its power of two differs
    near = 2.0 ** round(np.log2(unit))
    assert np.array_equal(spikes(near), spikes(1.0))
    assert 0.02 < spikes(unit).mean() < 0.5
    assert np.mean(spikes(unit) != spikes(1.0)) < 0.02


@pytest.mark.parametrize("unit", [2.0**-14, 1.0, 2.0**14])
def test_training_sees_thresholds_near_one(unit: float) -> None:
    weight = np.random.default_rng(0).normal(0, 0.3, (4, 6))
    linear = network(RealLifReset(0.9, 1.5 * unit, 0.0, -0.1 * unit), weight * unit)
    source = Input((6,), 1.0, 0, 127, static=False)
    reaches = reach(linear, np.ones((20, 1, 6)), 20)
    (found,) = natural(fitted(linear, source, Precision(), reaches)).populations
    assert (found.neuron.threshold, found.neuron.reset) == (1.5, -0.1)
    (term,) = found.current.terms
    assert term.scale == 1
    assert np.array_equal(term.synapses.weight, weight)


def test_a_reach_is_that_of_saturated_values() -> None:
    linear = network(RealLifReset(0.5, 10.0), np.array([[3.0], [-4.0]]))
    found = reach(linear, np.ones((50, 1, 1)), 50)["n"]
    assert np.isclose(found.largest, 8.0)
    assert found.rate == 0
    firing = reach(network(RealLifReset(0.0, 2.0), np.array([[3.0], [1.0]])), np.ones((8, 1, 1)), 8)
    assert firing["n"].rate == 0.5


CASES = SHARED / "cases" / "nir"
PAPER = SHARED / "data" / "nir-paper"


def imported(path: Path, time_steps: int) -> Fit:
    network = load_nir(path, DT)
    linear = linearize(network.module, network.input_shape)
    source = Input(linear.input_shape, 1.0, 0, 127, static=False)
    shown = typical(linear, time_steps)
    return fit(network.module, linear, source, shown, time_steps, Precision(), may_widen=True)


def changed(path: Path, made: Fit, x: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """Rate, share of neuron-steps that differ from Euler, relative error of the spikes' count."""
    integers, time_steps = made.network, len(x)
    _, sent = Euler(path, DT).run(x[:, :, :, 0] if path.stem == "conv1d" else x)
    record = Record.everything(integers)
    got = simulate(integers, integers.input.encode(x), time_steps, record).traces
    found = {}
    for name, trace in got.items():
        want = next(v for n, v in sent.items() if n.replace(".", "_") == name).astype(bool)
        spikes = trace.spikes.reshape(want.shape)
        off = abs(int(spikes.sum()) - int(want.sum())) / max(1, int(want.sum()))
        found[name] = float(want.mean()), float((spikes != want).mean()), off
    return found


@pytest.mark.skipif(not CASES.exists(), reason="the small graphs of ../shared are not here")
@pytest.mark.parametrize("path", sorted(CASES.glob("*.nir")), ids=lambda path: path.stem)
def test_integers_fire_as_euler_does(path: Path) -> None:
    made = imported(path, 300)
    rng = np.random.default_rng(9)
    for rate in (0.1, 0.3, 0.6):
        x = (rng.random((300, 10, *made.network.input.shape)) < rate).astype(np.float32)
        for rates, share, _ in changed(path, made, x).values():
            assert share <= 0.005 or not 0.02 <= rates <= 0.3


@pytest.mark.skipif(not PAPER.exists(), reason="the NIR paper's files are not in ../shared")
@pytest.mark.parametrize("name", ["lif_norse", "lif_rockpool"])
def test_the_lif_task_of_the_nir_paper(name: str) -> None:
    path = PAPER / "01_lif" / f"{name}.nir"
    made = imported(path, 1000)
    given = np.loadtxt(PAPER / "01_lif" / "lif_exact.csv", delimiter=",")
    x = given[:, :1, None].astype(np.float32)
    integers = made.network
    record = Record.everything(integers)
    result = simulate(integers, integers.input.encode(x), len(x), record)
    (trace,) = result.traces.values()
    _, sent = Euler(path, DT).run(x)
    (euler,) = sent.values()
    assert np.array_equal(trace.spikes, euler)
    assert euler.sum() == 4
    if name == "lif_norse":  # Euler steps of the other file fire later than the exact solution
        assert np.flatnonzero(trace.spikes).tolist() == np.flatnonzero(given[:, 2]).tolist()
    made = imported(path, 2000)
    for rate in (0.2, 0.6):
        random = (np.random.default_rng(2).random((2000, 4, 1)) < rate).astype(np.float32)
        ((_, share, off),) = changed(path, made, random).values()
        assert share <= 0.02
        assert off <= 0.01


def test_typical_inputs_are_the_same_every_time() -> None:
    linear = network(RealLifReset(), np.ones((4, 6)))
    shown = typical(linear, 50)
    assert shown.shape == (50, 8, 6)
    assert torch.equal(shown, typical(linear, 50))
    assert torch.all(shown[:, -1] == 1)


def test_random_inputs_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    linear = network(RealLifReset(), np.ones((4, 6)))
    monkeypatch.setattr(fitting, "NEURON_STEPS", 1)
    for most, steps in ((1 << 28, 32), (8 * 6 * 5, 5), (8 * 6, 4)):
        monkeypatch.setattr(fitting, "MOST_NUMBERS", most)
        assert typical(linear, 50).shape == (steps, 8, 6)
    monkeypatch.setattr(fitting, "MOST_NUMBERS", 8 * 6 - 1)
    with pytest.raises(ArlifError, match=r"at most 5 inputs and neurons, .* 6 and has 4; give --"):
        typical(linear, 50)
