"""The Population process in a Lava user's hands equals torch in real, arlif in integer numbers."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from support.places import SUPPORT
from support.user_neurons import Adaptive

from arlif import ARLIF, NeuronLayer
from arlif.core.integer_neurons import PRESETS
from arlif.core.neuron import Neuron
from arlif.neurons import SpikingNeuron
from arlif.quantize.neuron_constants import to_integer
from arlif.quantize.walk import detached

SCRIPT = SUPPORT / "lava_user.py"
RESET_INTERVAL = 7
STEPS = 3 * RESET_INTERVAL
STRENGTH = np.random.default_rng(1).uniform(-1, 1, 20)

pytestmark = pytest.mark.lava


def arlif() -> ARLIF:
    module = ARLIF(decay=0.7, v_threshold=0.9).double()
    with torch.no_grad():
        module.alpha_raw.fill_(0.6)
        module.beta_raw.fill_(-0.4)
    return module.eval()


def own() -> SpikingNeuron:
    return NeuronLayer(Adaptive(strength=STRENGTH)).double().eval()


MODULES = {"arlif": arlif, "own": own}


@pytest.fixture(scope="module")
def currents() -> np.ndarray:
    return np.random.default_rng(0).normal(0.4, 1.0, (STEPS, 5, 20))


@pytest.fixture(scope="module")
def outcome(currents, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lava_user")
    constants = detached(arlif().real_neuron()).constants()
    np.savez(folder / "in.npz", currents=currents, strength=own_strength(), **constants)
    command = [sys.executable, str(SCRIPT), str(folder / "in.npz"), str(folder / "out.npz")]
    path = os.pathsep.join([str(SUPPORT.parent), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path.rstrip(os.pathsep)}
    subprocess.run(command, check=True, timeout=120, capture_output=True, env=environment)
    with np.load(folder / "out.npz") as found:
        return dict(found)


def own_strength() -> np.ndarray:
    """As the module rounds it when it is made: to float32."""
    strength: np.ndarray = np.asarray(detached(own().real_neuron()).constants()["strength"])
    return strength


@pytest.mark.parametrize("name", MODULES)
def test_floating_pt_equals_the_torch_module(name, currents, outcome):
    module, spikes = MODULES[name](), []
    with torch.no_grad():
        for part in torch.from_numpy(currents).split(RESET_INTERVAL):
            fired, state = module(part, return_state=True)
            spikes.append(fired.numpy())
    want = np.concatenate(spikes)
    assert 0.05 < want.mean() < 0.95
    np.testing.assert_array_equal(outcome[f"{name}_float_spikes"], want)
    # torch and numpy evaluate tanh and sigmoid differently in the last digit.
    np.testing.assert_allclose(
        outcome[f"{name}_float_state"], np.stack(state), rtol=1e-12, atol=1e-13
    )


@pytest.mark.parametrize("name", MODULES)
def test_fixed_pt_equals_the_integer_step(name, currents, outcome):
    numbers, real = PRESETS["compact16"], detached(MODULES[name]().real_neuron())
    assert isinstance(real, Neuron)
    neuron = to_integer(real, numbers)
    raw, spikes = numbers.state_format.quantize(currents), []
    for t, x in enumerate(raw):
        if t % RESET_INTERVAL == 0:
            state = neuron.initial_state(np.zeros_like(x))
        fired, state = neuron.step(neuron.ops(), state, x)
        spikes.append(fired)
    np.testing.assert_array_equal(outcome[f"{name}_raw_spikes"], np.stack(spikes))
    np.testing.assert_array_equal(outcome[f"{name}_raw_state"], np.stack(state))
