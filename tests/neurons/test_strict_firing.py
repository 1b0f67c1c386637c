"""AR-LIF that fires on h > theta, as the released CIFAR10-DVS runs do: reals, integers, engines."""

import numpy as np
import pytest
import torch
from support.networks_small import quantized, randomise
from support.oracle import arlif_float, arlif_integer

from arlif import layers
from arlif.arithmetic.floating import FloatOps
from arlif.core.integer_neurons import Numbers
from arlif.core.real_neurons import RealArlif
from arlif.neurons import ARLIF
from arlif.neurons.convert import spiking_module
from arlif.neurons.modules import run_steps
from arlif.quantize.neuron_constants import to_integer
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.simulation import Record

CURRENTS = np.random.default_rng(0).integers(-4, 7, (9, 400)) / 4
"""Quarters: without a reset, potentials are at the threshold 1 often, and exactly."""


@pytest.mark.parametrize("strict", [True, False])
def test_a_spike_at_the_threshold_itself(strict):
    want = [arlif_float(list(xs), memory=False, strict=strict) for xs in CURRENTS.T]
    want = np.array([[s for s, _, _ in history] for history in want]).T
    neuron = ARLIF(memory=False, strict=strict)
    for kind in (torch.float32, torch.float64):
        x = torch.tensor(CURRENTS, dtype=kind)
        plain, _ = run_steps(neuron.real_neuron(), FloatOps(), x, None)
        assert plain.tolist() == want.tolist()
        assert neuron(x).tolist() == want.tolist()


def test_the_threshold_is_met_in_these_currents():
    loose, strict = (
        [[s for s, _, _ in arlif_float(list(xs), memory=False, strict=strict)] for xs in CURRENTS.T]
        for strict in (False, True)
    )
    assert np.not_equal(loose, strict).sum() > 50


def test_its_gradients_are_those_of_firing_at_the_threshold():
    x = torch.randn(5, 300, dtype=torch.float64, requires_grad=True)
    of_x = []
    for strict in (False, True):
        spikes, state = ARLIF(memory=False, strict=strict)(x, return_state=True)
        of_x.append(torch.autograd.grad((spikes.sum() + state.u.sum() + state.r.sum()), x)[0])
    torch.testing.assert_close(*of_x)


@pytest.mark.parametrize("memory", [True, False])
def test_integers_fire_one_step_above_the_threshold(memory):
    real = RealArlif(0.5, 1.0, 1.0, 0.25, memory=memory, strict=True)
    neuron = to_integer(real, Numbers())
    state = neuron.initial_state(np.zeros(2000, np.int32))
    raw = np.random.default_rng(1).integers(150, 350, (6, 2000)).astype(np.int32)
    got = []
    for x in raw:
        s, state = neuron.step(neuron.ops(), state, x)
        got.append(np.stack([s, state.u, state.r]))
    tables = {n: (list(map(int, t.values)), t.low, t.shift) for n, t in neuron.tables.items()}
    want, other = (
        [arlif_integer([*map(int, xs)], 16, 8, 128, tables, memory, strict) for xs in raw.T]
        for strict in (True, False)
    )
    assert np.moveaxis(np.array(got), 2, 0).tolist() == np.array(want).tolist()
    assert np.not_equal(want, other).any()


def test_engines_agree_and_files_keep_it(tmp_path):
    from export.nir import read_nir, write_nir

    torch.manual_seed(0)
    neuron = ARLIF(0.2, memory=False, strict=True)
    convolution = [layers.Conv2d(1, 6, 3), layers.BatchNorm2d(6), layers.Repeat(5)]
    head = [layers.Flatten(), layers.Linear(216, 3)]
    network = quantized(randomise(torch.nn.Sequential(*convolution, neuron, *head)), (1, 8, 8))
    file = tmp_path / "network.nir"
    write_nir(network, file)
    assert read_nir(file) == network
    raw = np.random.default_rng(2).integers(0, 127, (4, 1, 8, 8)).astype(np.int8)
    record = Record(("3",))
    one, other = (e.simulate(network, raw, 5, record).traces["3"] for e in (reference, fast))
    assert np.array_equal(np.asarray(one.spikes), np.asarray(other.spikes))
    assert 0.02 < np.asarray(one.spikes).mean() < 0.98


def test_a_module_made_of_its_constants_stays_strict():
    assert spiking_module(RealArlif(strict=True)).real_neuron().strict
