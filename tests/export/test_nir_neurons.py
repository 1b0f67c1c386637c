"""Every neuron of NIR, alone and in cycles: imported networks are Euler steps of its equations."""

from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch
from support.nir_cells import (
    DT,
    N,
    assert_is_euler,
    between,
    full,
    lif,
    one,
    restart,
    single,
    spikes,
    weights,
)
from support.nir_euler import Euler
from support.nir_files import write
from support.places import SHARED

from arlif.base.errors import FormatError
from arlif.quantize import linearize
from export.nir import load_nir

restart()


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    restart()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "network.nir"


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
        v_threshold=0.1,
        v_reset=0.0,
        w_in=1.0,
    ),
    "Threshold": nir.Threshold(between(0.5, 3)),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_neuron_is_an_euler_step(name: str, path: Path) -> None:
    nodes = {"w": weights(N, 5, 10), "n": CELLS[name], "h": weights(3, N)}
    write(path, i=nir.Input(np.array([5])), **nodes, o=nir.Output(np.array([3])))
    assert_is_euler(path, spikes(5))


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
