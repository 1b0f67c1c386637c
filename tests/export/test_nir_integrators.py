"""NIR's LI, CubaLI and I, at the end of networks and between neurons."""

from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from support.nir_cells import (
    DT,
    RNG,
    N,
    assert_is_euler,
    between,
    full,
    lif,
    one,
    restart,
    spikes,
    weights,
)
from support.nir_euler import Euler
from support.nir_files import write
from support.nir_import import simulated, take

from arlif.base.errors import FormatError, LoweringError
from arlif.core.network import Input
from arlif.quantize import Precision, linearize, quantize
from export.nir import load_nir
from hw_sim.engines.integer.reference import simulate

restart()


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    restart()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "network.nir"


READOUTS: dict[str, Any] = {
    "LI": nir.LI(between(5e-4, 3e-3), between(0.5, 2), between(-0.3, 0.3)),
    "CubaLI": nir.CubaLI(
        between(3e-4, 1e-3), between(5e-4, 2e-3), between(0.5, 2), full(0.0), between(1, 2)
    ),
    "I": nir.I(between(1e3, 2e3)),
}


PLAIN = nir.IF(between(2e3, 5e3), between(0.5, 2), between(-0.5, 0))
STEP = nir.Threshold(between(0.5, 3))
ALIKE_LIF = one(nir.LIF, tau=2e-3, r=1.5, v_leak=0.0, v_threshold=1.0, v_reset=0.0)


@pytest.mark.parametrize("name", READOUTS)
def test_an_integrator_ends_a_network(name: str, path: Path) -> None:
    nodes = {"w": weights(N, 5, 10), "n": lif(), "h": weights(N, N), "v": READOUTS[name]}
    write(path, i=nir.Input(np.array([5])), **nodes, o=nir.Output(np.array([N])))
    assert_is_euler(path, spikes(5))


ALIKE = one(nir.LI, tau=1e-3, r=2.0, v_leak=0.1)
"""Its weights may follow: all its neurons have one time constant."""
HIDDEN: dict[str, dict[str, Any]] = {
    "LI, LIF": {"v": READOUTS["LI"], "n": lif()},
    "LI, weights, LIF": {"v": ALIKE, "h": weights(N, N, 1.0), "n": lif()},
    "LI, weights, Threshold": {
        "v": ALIKE,
        "h": weights(N, N, 1.0),
        "n": nir.Threshold(between(0.5, 3)),
    },
    "LI, scale, IF": {
        "v": READOUTS["LI"],
        "s": nir.Scale(between(3, 9)),
        "n": nir.IF(between(2e3, 5e3), between(0.5, 2), between(-0.5, 0)),
    },
    "CubaLI without a membrane, LIF": {
        "v": nir.CubaLI(full(1e-3), full(DT), full(2.0), full(0.1), between(1, 2)),
        "h": weights(N, N, 1.0),
        "n": lif(),
    },
}


@pytest.mark.parametrize("name", HIDDEN)
def test_an_integrator_between_neurons_is_their_current(name: str, path: Path) -> None:
    """Floats are Euler steps; so are the integers of an import, but for rounding."""
    first = {"w": weights(N, 5, 20), "m": lif(), "b": weights(N, N, 6.0)}
    write(path, i=nir.Input(np.array([5])), **first, **HIDDEN[name], o=nir.Output(np.array([N])))
    assert_is_euler(path, spikes(5))
    x = spikes(5)
    want, _ = Euler(path, DT).run(x)
    taken = take(path, DT, len(x))
    assert [type(p.neuron).__name__ for p in taken.linear.populations][1] == "RealSynaptic"
    got = simulated(taken.integers, x).traces["n"].spikes
    assert 0.01 < np.mean(want > 0) < 0.95
    assert np.mean(got != (want > 0)) <= 0.005


@pytest.mark.parametrize("name", ["LI", "CubaLI"])
def test_weights_behind_an_integrator_want_one_time_constant(name: str, path: Path) -> None:
    nodes = {"w": weights(N, 5), "v": READOUTS[name], "h": weights(N, N), "n": lif()}
    write(path, i=nir.Input(np.array([5])), **nodes, o=nir.Output(np.array([N])))
    with pytest.raises(LoweringError, match=r"n .*fed with membrane potentials of unequal decays"):
        linearize(load_nir(path, DT).module, (5,))


def test_an_integrator_on_a_cycle_is_refused(path: Path) -> None:
    nodes = {"w": weights(N, 5, 10), "n": lif(), "v": ALIKE, "r": weights(N, N), "h": weights(3, N)}
    edges = [("i", "w"), ("w", "n"), ("n", "v"), ("v", "r"), ("r", "n"), ("n", "h"), ("h", "o")]
    write(path, edges, i=nir.Input(np.array([5])), o=nir.Output(np.array([3])), **nodes)
    with pytest.raises(FormatError, match=r"v .*cycle"):
        load_nir(path, DT)


@pytest.mark.parametrize("name", ["I", "LI"])
def test_integers_decide_as_the_integrators_do(name: str, path: Path) -> None:
    """I: by the last potential. LI: by the mean, which the last time constants hardly change."""
    head = nir.Linear(RNG.normal(0, 5, (N, N)))
    nodes = {"w": weights(N, 5, 10), "n": ALIKE_LIF, "h": head, "v": READOUTS[name]}
    write(path, i=nir.Input(np.array([5])), **nodes, o=nir.Output(np.array([N])))
    x = (RNG.random((1500, 20, 5)) < 0.3).astype(np.float32)
    want, _ = Euler(path, DT).run(x)
    module = load_nir(path, DT).module
    source = Input((5,), 1.0, 0, 127, static=False)
    integers = quantize(linearize(module, (5,)), source, Precision(), len(x))
    answers = want[-1] if name == "I" else want.sum(0)
    found = simulate(integers, source.encode(x), len(x))
    logits = found.readout * integers.readout.scale
    error = np.abs(logits - answers).max() / np.abs(answers).max()
    assert error < 0.15
    assert np.mean(found.decisions == answers.argmax(1)) >= 0.9
