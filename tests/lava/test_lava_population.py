"""The Population process in a Lava user's hands equals torch in real, arlif in integer numbers."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from support.integer_neurons import sampled
from support.places import SUPPORT

from arlif import ARLIF
from arlif.core.integer_neurons import PRESETS

SCRIPT = SUPPORT / "lava_user.py"
RESET_INTERVAL = 7
STEPS = 3 * RESET_INTERVAL

pytestmark = pytest.mark.lava


@pytest.fixture(scope="module")
def module() -> ARLIF:
    arlif = ARLIF(decay=0.7, v_threshold=0.9).double()
    with torch.no_grad():
        arlif.alpha_raw.fill_(0.6)
        arlif.beta_raw.fill_(-0.4)
    return arlif.eval()


@pytest.fixture(scope="module")
def currents() -> np.ndarray:
    return np.random.default_rng(0).normal(0.4, 1.0, (STEPS, 5, 20))


@pytest.fixture(scope="module")
def outcome(module, currents, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lava_user")
    real = module.real_neuron()
    np.savez(
        folder / "in.npz",
        currents=currents,
        decay=real.decay,
        v_threshold=real.v_threshold,
        alpha=real.alpha.detach(),
        beta=real.beta.detach(),
    )
    command = [sys.executable, str(SCRIPT), str(folder / "in.npz"), str(folder / "out.npz")]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    with np.load(folder / "out.npz") as found:
        return dict(found)


def test_floating_pt_equals_the_torch_module(module, currents, outcome):
    spikes = []
    with torch.no_grad():
        for part in torch.from_numpy(currents).split(RESET_INTERVAL):
            fired, state = module(part, return_state=True)
            spikes.append(fired.numpy())
    want = np.concatenate(spikes)
    assert 0.05 < want.mean() < 0.95
    np.testing.assert_array_equal(outcome["float_spikes"], want)
    # torch and numpy evaluate tanh and sigmoid differently in the last digit.
    np.testing.assert_allclose(outcome["float_state"], np.stack(state), rtol=1e-12, atol=1e-13)


def test_fixed_pt_equals_the_integer_step(module, currents, outcome):
    numbers = PRESETS["compact16"]
    neuron = sampled(_plain(module), numbers)
    raw, spikes = numbers.state_format.quantize(currents), []
    for t, x in enumerate(raw):
        if t % RESET_INTERVAL == 0:
            state = neuron.initial_state(np.zeros_like(x))
        fired, state = neuron.step(neuron.ops(), state, x)
        spikes.append(fired)
    np.testing.assert_array_equal(outcome["raw_spikes"], np.stack(spikes))
    np.testing.assert_array_equal(outcome["raw_state"], np.stack(state))


def _plain(module: ARLIF):
    real = module.real_neuron()
    return type(real)(real.decay, real.v_threshold, real.alpha.item(), real.beta.item())
