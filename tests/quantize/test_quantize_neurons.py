"""Integer neurons fire where the real ones do; what a format makes nothing of is refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nir
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.norse_networks import reset_subtract, reset_value
from support.other_libraries import norse, snntorch
from torch import Tensor, nn

import arlif.interop.norse
import arlif.interop.snntorch
from arlif.base.errors import LoweringError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import PRESETS, Numbers
from arlif.core.real_neurons import (
    NumpyRealOps,
    RealArlif,
    RealLifHard,
    RealLifSoft,
    RealLifSubtract,
)
from arlif.core.steps import LifState
from arlif.interop.cells import above
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from arlif.quantize.neuron_constants import raw_factor, to_integer
from export.nir import load_nir
from hw_sim.engines.integer.reference import simulate
from hw_sim.engines.simulation import Record

REALS = st.floats(0.25, 4, width=32)
FORMATS = st.builds(FixedPointFormat, st.just(20), st.integers(4, 12))


@given(st.data(), FORMATS, REALS, REALS, st.booleans())
def test_a_raw_state_fires_where_its_real_value_does(
    data: st.DataObject, state: FixedPointFormat, threshold: float, hold: float, on_grid: bool
) -> None:
    """Without decay h is x: every h and u around the thresholds, in steps of the format."""
    if on_grid:
        threshold = above(np.ceil(threshold * state.one) / state.one)
        hold = np.ceil(hold * state.one) / state.one
    raw = np.array(data.draw(st.lists(st.integers(0, 9 * state.one), min_size=1)), np.int32)
    edges = [round(at * state.one) + d for at in (threshold, threshold + hold) for d in (-1, 0, 1)]
    h, u = (grid.ravel() for grid in np.meshgrid(np.append(raw, edges), edges))
    for real in (
        RealLifHard(0.0, threshold),
        RealLifSoft(0.0, threshold),
        RealLifSubtract(0.0, threshold, 1.0, hold),
    ):
        neuron = to_integer(real, Numbers(state))
        got, _ = neuron.step(neuron.ops(), LifState(u.astype(np.int32)), h.astype(np.int32))
        want, _ = real.step(NumpyRealOps(), LifState(u / state.one), h / state.one)
        np.testing.assert_array_equal(got, want)


@given(st.floats(0, 1), st.integers(1, 16))
def test_no_leak_vanishes_and_none_takes_everything(decay: float, bits: int) -> None:
    nearest = round(decay * 2**bits)
    if 0 < decay < 1 and nearest in (0, 2**bits):
        with pytest.raises(LoweringError, match=r"decay = .* use more factor bits"):
            raw_factor("decay", np.array(decay), bits)
    else:
        assert raw_factor("decay", np.array(decay), bits) == nearest


@pytest.mark.parametrize("decay", [0.001, 0.999])
@pytest.mark.parametrize(
    "make",
    [
        lambda decay: RealArlif(decay, 1.0, 1.0, 0.0),
        lambda decay: RealLifHard(decay, 1.0),
        lambda decay: RealLifSoft(decay, 1.0),
        lambda decay: RealLifSubtract(decay, 1.0, 1.0, 0.0),
    ],
)
def test_every_neuron_keeps_its_leak(make: Callable[[float], RealArlif], decay: float) -> None:
    with pytest.raises(LoweringError, match="factor bits"):
        to_integer(make(decay), PRESETS["compact16"])
    assert 0 < to_integer(make(decay), PRESETS["loihi24"]).constants["decay"] < 4096
    kept = [to_integer(make(k), PRESETS["compact16"]).constants["decay"] for k in (0.0, 1.0)]
    assert kept == [0, 256]


@pytest.mark.parametrize(
    "neuron",
    [
        RealArlif(0.5, 1e-3, 1.0, 0.0),
        RealLifHard(0.5, 1e-3),
        RealLifSoft(0.5, 1e-3),
        RealLifSubtract(0.5, 1e-3, 1.0, 0.0),
    ],
)
def test_a_threshold_below_half_a_step_is_refused(neuron: RealArlif) -> None:
    with pytest.raises(LoweringError, match=r"threshold of 0.001 .* more fractional bits"):
        to_integer(neuron, PRESETS["compact16"])
    to_integer(neuron, PRESETS["loihi24"])


INPUTS = (torch.rand(20, 16, 16, generator=torch.Generator().manual_seed(0)) < 0.3).float()


def weights() -> Tensor:
    """Quarters, so that potentials are often at the threshold, and 127/128 for a scale of 2**-7."""
    values = torch.randint(-3, 4, (30, 16), generator=torch.Generator().manual_seed(1)) / 4
    values[:, 0] = 127 / 128
    return values


def dense() -> nn.Linear:
    layer = nn.Linear(16, 30, bias=False)
    layer.weight.data = weights()
    return layer


def from_snntorch(path: Path, **options: object) -> tuple[Tensor, nn.Module]:
    net = nn.Sequential(dense(), snntorch.Leaky(init_hidden=True, **options))
    arlif.interop.snntorch.reset(net)
    with torch.no_grad():
        return torch.stack([net(x) for x in inputs()]), arlif.interop.snntorch.to_arlif(net)


def inputs() -> Tensor:
    x = INPUTS.clone()
    x[..., 0] = 0
    return x


def from_norse(path: Path, reset: Callable[..., Tensor]) -> tuple[Tensor, nn.Module]:
    parameters = norse.torch.LIFBoxParameters(
        tau_mem_inv=torch.tensor(1.0), v_th=torch.tensor(1.0), reset_method=reset
    )
    net = norse.torch.SequentialState(dense(), norse.torch.LIFBoxCell(parameters, dt=1.0))
    state, spikes = None, []
    for x in inputs():
        out, state = net(x, state)
        spikes.append(out)
    return torch.stack(spikes).detach(), arlif.interop.norse.to_arlif(net)


def from_nir(path: Path) -> tuple[Tensor, nn.Module]:
    """IF: v += x; spike where v > 1, then v = 0."""
    ones, matrix = np.ones(30, np.float32), weights().numpy()
    nodes = {
        "input": nir.Input(np.array([16])),
        "dense": nir.Linear(matrix),
        "neuron": nir.IF(ones, ones),
        "output": nir.Output(np.array([30])),
    }
    nir.write(path / "if.nir", nir.NIRGraph(nodes, [*zip(nodes, [*nodes][1:], strict=False)]))
    v, spikes = np.zeros((16, 30)), []
    for x in inputs().numpy():
        v += x @ matrix.T
        spikes.append(v > 1)
        v[spikes[-1]] = 0
    return torch.tensor(np.stack(spikes)).float(), load_nir(path / "if.nir", 1.0).module


ORIGINS: dict[str, Callable[[Path], tuple[Tensor, nn.Module]]] = {
    "snnTorch, to zero": lambda p: from_snntorch(p, beta=1.0, reset_mechanism="zero"),
    "snnTorch, no memory": lambda p: from_snntorch(p, beta=0.0, reset_mechanism="zero"),
    "snnTorch, subtract late": lambda p: from_snntorch(p, beta=1.0),
    "snnTorch, subtract at once": lambda p: from_snntorch(p, beta=1.0, reset_delay=False),
    "Norse, to value": lambda p: from_norse(p, reset_value),
    "Norse, subtract": lambda p: from_norse(p, reset_subtract),
    "NIR": from_nir,
}


@pytest.mark.parametrize("origin", ORIGINS)
def test_potentials_at_the_threshold_stay_silent_in_integers(tmp_path: Path, origin: str) -> None:
    """Every number is exact in the format, so no spike may differ; the origin fires on >."""
    want, net = ORIGINS[origin](tmp_path)
    x = inputs()
    source = calibrate_input(x.numpy(), (16,), static=False)
    network = quantize(linearize(net, (16,)), source, Precision(), len(x))
    (population,) = network.populations
    raw, record = source.encode(x.numpy()), Record((population.name,))
    spikes = simulate(network, raw, len(x), record).traces[population.name].spikes
    np.testing.assert_array_equal(spikes, want.numpy() == 1)
    constants = population.neuron.constants
    lower = {"threshold": constants["threshold"] - 1}
    neuron = replace(population.neuron, constants={**constants, **lower})
    early = replace(network, populations=(replace(population, neuron=neuron),))
    assert (simulate(early, raw, len(x)).counts[population.name] != spikes.sum(0)).any()
