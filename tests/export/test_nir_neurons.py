"""Every neuron of NIR, alone and in cycles: imported networks are Euler steps of its equations."""

from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch
from support.nir_euler import Euler
from support.nir_files import write
from support.nir_import import simulated, take
from support.places import SHARED

from arlif.base.errors import FormatError, LoweringError
from arlif.core.network import Input
from arlif.quantize import Precision, linearize, quantize
from export.nir import load_nir
from hw_sim.engines.integer.reference import simulate

DT = 1e-4
RNG = np.random.default_rng(3)
N = 6
"""Neurons."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "network.nir"


def between(low: float, high: float) -> Any:
    return RNG.uniform(low, high, N)


def full(value: float) -> Any:
    return np.full(N, value)


def weights(outputs: int, inputs: int, size: float = 8.0) -> nir.Affine:
    return nir.Affine(single(0, size, (outputs, inputs)), single(0, 1, outputs))


def single(*words: Any) -> Any:
    """Normal numbers, in float32 as tools write weights."""
    return RNG.normal(*words).astype(np.float32)


def synapse(**changes: Any) -> nir.CubaLIF:
    """Every constant differs from neuron to neuron."""
    fields = {
        "tau_syn": between(3e-4, 2e-3),
        "tau_mem": between(5e-4, 3e-3),
        "r": between(0.5, 2),
        "v_leak": between(-0.3, 0.3),
        "v_threshold": between(0.5, 1.5),
        "v_reset": between(-0.5, 0.3),
        "w_in": between(0.5, 3),
    }
    return nir.CubaLIF(**fields | changes)


def lif(**changes: Any) -> nir.LIF:
    fields = {
        "tau": between(5e-4, 3e-3),
        "r": between(0.5, 2),
        "v_leak": between(-0.3, 0.3),
        "v_threshold": between(0.5, 1.5),
        "v_reset": between(-0.5, 0.3),
    }
    return nir.LIF(**fields | changes)


def one(kind: type, **fields: float) -> Any:
    return kind(**{name: full(value) for name, value in fields.items()})


CELLS: dict[str, Any] = {
    "LIF": lif(),
    "LIF, alike": one(nir.LIF, tau=2e-3, r=1.5, v_leak=0.0, v_threshold=1.0, v_reset=0.0),
    "LIF that leaks up": one(nir.LIF, tau=2e-3, r=1.0, v_leak=1.2, v_threshold=1.0, v_reset=0.5),
    "LIF with a negative resistance": lif(r=between(-2, -1)),
    "LIF of millivolts": lif(v_leak=full(-65), v_threshold=full(-50), v_reset=full(-70)),
    "IF": nir.IF(between(2e3, 5e3), between(0.5, 2), between(-0.5, 0)),
    "CubaLIF": synapse(),
    "CubaLIF, alike": one(
        nir.CubaLIF,
        tau_syn=1e-3,
        tau_mem=2e-3,
        r=1.0,
        v_leak=0.0,
        v_threshold=0.3,
        v_reset=0.0,
        w_in=1.0,
    ),
    "Threshold": nir.Threshold(between(0.5, 3)),
}
READOUTS: dict[str, Any] = {
    "LI": nir.LI(between(5e-4, 3e-3), between(0.5, 2), between(-0.3, 0.3)),
    "CubaLI": nir.CubaLI(
        between(3e-4, 1e-3), between(5e-4, 2e-3), between(0.5, 2), full(0.0), between(1, 2)
    ),
    "I": nir.I(between(1e3, 2e3)),
}


def spikes(*shape: int) -> Any:
    rates = RNG.uniform(0.05, 0.7, (1, 8, *(1 for _ in shape)))
    return (RNG.random((120, 8, *shape)) < rates).astype(np.float32)


def assert_is_euler(path: Path, x: Any, dt: float = DT) -> None:
    """In float64, so that no potential rounds to the other side of a threshold."""
    want, sent = Euler(path, dt).run(x)
    with torch.no_grad():
        got = load_nir(path, dt).module.double()(torch.from_numpy(x).double()).numpy()
    assert any(np.mean(values > 0) > 0.005 for values in sent.values())
    assert np.allclose(got, want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", CELLS)
def test_a_neuron_is_an_euler_step(name: str, path: Path) -> None:
    nodes = {"w": weights(N, 5, 10), "n": CELLS[name], "h": weights(3, N)}
    write(path, i=nir.Input(np.array([5])), **nodes, o=nir.Output(np.array([3])))
    assert_is_euler(path, spikes(5))


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
    "LI, weights, Threshold": {"v": ALIKE, "h": weights(N, N, 1.0), "n": CELLS["Threshold"]},
    "LI, scale, IF": {"v": READOUTS["LI"], "s": nir.Scale(between(3, 9)), "n": CELLS["IF"]},
    "CubaLI without a membrane, LIF": {
        "v": nir.CubaLI(full(1e-3), full(DT), full(2.0), full(0.1), between(1, 2)),
        "h": weights(N, N, 1.0),
        "n": lif(),
    },
}


@pytest.mark.parametrize("name", HIDDEN)
def test_an_integrator_between_neurons_is_their_current(name: str, path: Path) -> None:
    """Floats are Euler steps; so are the integers of an import, but for rounding."""
    first = {"w": weights(N, 5, 10), "m": lif(), "b": weights(N, N, 3.0)}
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
    nodes = {"w": weights(N, 5, 10), "n": CELLS["LIF, alike"], "h": head, "v": READOUTS[name]}
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


def loop_edges() -> list[tuple[str, str]]:
    return [("i", "w"), ("w", "n"), ("n", "r"), ("r", "n"), ("n", "h"), ("h", "o")]


@pytest.mark.parametrize("name", CELLS)
def test_neurons_that_feed_themselves(name: str, path: Path) -> None:
    """What goes back, through a bias too, arrives one time step later."""
    nodes = {"w": weights(N, 5, 10), "n": CELLS[name], "r": weights(N, N, 3), "h": weights(3, N)}
    ends = {"i": nir.Input(np.array([5])), "o": nir.Output(np.array([3]))}
    write(path, loop_edges(), **ends, **nodes)
    assert_is_euler(path, spikes(5))


def test_a_loop_over_two_layers_and_one_inside_it(path: Path) -> None:
    edges = [
        *(("i", "w"), ("w", "a"), ("a", "ab"), ("ab", "b"), ("b", "ba"), ("ba", "a")),
        *(("b", "bb"), ("bb", "b"), ("i", "z"), ("z", "b"), ("b", "h"), ("h", "o")),
    ]
    nodes = {
        "w": weights(N, 5, 10),
        "a": lif(),
        "ab": weights(N, N),
        "b": synapse(),
        "ba": weights(N, N, 3),
        "bb": weights(N, N, 3),
        "z": weights(N, 5),
        "h": weights(3, N),
    }
    ends = {"i": nir.Input(np.array([5])), "o": nir.Output(np.array([3]))}
    write(path, edges, **ends, **nodes)
    assert_is_euler(path, spikes(5))
    populations = linearize(load_nir(path, DT).module, (5,)).populations
    waits = {p.name: sorted((t.source, t.delay) for t in p.current.terms) for p in populations}
    assert waits == {
        "loop_a": [("input", 0), ("loop_b", 1)],
        "loop_b": [("input", 0), ("loop_a", 0), ("loop_b", 1)],
    }


def test_a_convolution_that_goes_back(path: Path) -> None:
    def conv(outputs: int, inputs: int) -> nir.Conv2d:
        weight = single(0, 6, (outputs, inputs, 3, 3))
        return nir.Conv2d((5, 5), weight, 1, 1, 1, 1, single(0, 1, outputs))

    shape = (3, 5, 5)
    cell = nir.LIF(*(np.full(shape, v) for v in (1e-3, 1.0, 0.0, 1.0, 0.0)))
    nodes = {"w": conv(3, 2), "n": cell, "r": conv(3, 3), "f": nir.Flatten(np.array(shape), 0, -1)}
    nodes |= {"h": weights(3, 75)}
    ends = {"i": nir.Input(np.array([2, 5, 5])), "o": nir.Output(np.array([3]))}
    edges = [("i", "w"), ("w", "n"), ("n", "r"), ("r", "n"), ("n", "f"), ("f", "h"), ("h", "o")]
    write(path, edges, **ends, **nodes)
    assert_is_euler(path, spikes(2, 5, 5))


def test_two_layers_that_leave_a_loop_are_refused(path: Path) -> None:
    edges = [
        *(("i", "w"), ("w", "a"), ("a", "ab"), ("ab", "b"), ("b", "ba"), ("ba", "a")),
        *(("a", "o"), ("b", "o")),
    ]
    nodes = {"w": weights(N, 5), "a": lif(), "b": lif(), "ab": weights(N, N), "ba": weights(N, N)}
    write(path, edges, i=nir.Input(np.array([5])), o=nir.Output(np.array([N])), **nodes)
    with pytest.raises(FormatError, match="a and b leave for o"):
        load_nir(path, DT)


def test_a_cycle_without_a_neuron_is_refused(path: Path) -> None:
    edges = [("i", "a"), ("a", "b"), ("b", "a"), ("b", "n"), ("n", "o")]
    nodes = {"a": nir.Linear(np.eye(N)), "b": nir.Linear(np.eye(N)), "n": lif()}
    write(path, edges, i=nir.Input(np.array([N])), o=nir.Output(np.array([N])), **nodes)
    with pytest.raises(FormatError, match="a lies on a cycle without"):
        load_nir(path, DT)


def test_delays_are_whole_time_steps(path: Path) -> None:
    def read(delay: Any) -> Any:
        nodes = {"n": nir.Threshold(full(0.5)), "d": nir.Delay(delay), "h": nir.Linear(np.eye(N))}
        write(path, i=nir.Input(np.array([N])), **nodes, o=nir.Output(np.array([N])))
        return load_nir(path, DT)

    x = torch.from_numpy(spikes(N))
    for steps in (0, 1, 7):
        network = read(np.full(N, steps * DT, np.float32))
        got = network.module(x)
        assert torch.equal(got[steps:], x[: len(x) - steps])
        assert not got[:steps].any()
        assert [t.delay for t in linearize(network.module, (N,)).readout.terms] == [steps]
    with pytest.raises(FormatError, match=r"d \(Delay\) waits for 0.00015 s, 1.5 time steps"):
        read(full(1.5 * DT))
    with pytest.raises(FormatError, match=r"one delay.*must hold for a layer"):
        read(np.arange(N) * DT)


@pytest.mark.parametrize("factors", [full(2.0), between(-2, 2)])
@pytest.mark.parametrize("place", ["input", "current", "spikes"])
def test_a_scale_multiplies_wherever_it_stands(place: str, factors: Any, path: Path) -> None:
    nodes = {"w": weights(N, N, 8), "n": lif(), "h": weights(3, N)}
    order = {"input": "swnh", "current": "wsnh", "spikes": "wnsh"}[place]
    nodes |= {"s": nir.Scale(factors)}
    chain = {name: nodes[name] for name in order}
    write(path, i=nir.Input(np.array([N])), **chain, o=nir.Output(np.array([3])))
    assert_is_euler(path, spikes(N))
    linearize(load_nir(path, DT).module, (N,))


def test_what_an_if_of_another_tool_means_is_said(path: Path) -> None:
    nodes = {"w": weights(N, 5), "n": one(nir.IF, r=1.0, v_threshold=1.0, v_reset=0.0)}
    write(path, i=nir.Input(np.array([5])), **nodes, o=nir.Output(np.array([N])))
    with pytest.raises(FormatError, match=r"v \+= I: dt = 1"):
        load_nir(path)
    (warning,) = load_nir(path, DT).warnings
    assert "r dt = 0.0001" in warning
    assert "dt = 1 / r" in warning
    assert load_nir(path, 1.0).warnings == ()


CASES = SHARED / "cases" / "nir"


@pytest.mark.skipif(not CASES.exists(), reason="the small graphs of ../shared are not here")
@pytest.mark.parametrize("path", sorted(CASES.glob("*.nir")), ids=lambda path: path.stem)
def test_graphs_of_other_tools_are_euler_steps(path: Path) -> None:
    network = load_nir(path, DT)
    x = spikes(*network.input_shape)
    got = network.module(torch.from_numpy(x))
    want, _ = Euler(path, DT).run(x[:, :, :, 0] if path.stem == "conv1d" else x)
    assert np.allclose(got.detach().numpy(), want, rtol=1e-4, atol=1e-4)
    linearize(network.module, network.input_shape)


BRAILLE = SHARED / "data" / "nir-paper" / "03_rnn" / "braille_noDelay_bias_zero.nir"


@pytest.mark.skipif(not BRAILLE.exists(), reason="the NIR paper's files are not in ../shared")
def test_the_braille_network_is_an_euler_step() -> None:
    """100 random inputs of 256 steps, in float32 as it runs: no spike differs."""
    x = (np.random.default_rng(1).random((256, 100, 12)) < 0.3).astype(np.float32)
    want, sent = Euler(BRAILLE, DT).run(x)
    got = load_nir(BRAILLE, DT).module(torch.from_numpy(x)).detach().numpy()
    assert sent["lif1.lif"].any()
    assert np.array_equal(got, want)
