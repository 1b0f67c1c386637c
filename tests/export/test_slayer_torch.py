"""A network built and exported by lava-dl's own SLAYER, pooling included, spikes as there."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from export.slayer import read_slayer
from hw_sim.engines.integer.reference import simulate
from hw_sim.engines.lava.hook import mend_lava
from hw_sim.engines.simulation import Record

pytestmark = pytest.mark.lava
TIME_STEPS = 20


@pytest.mark.parametrize(("current_decay", "voltage_decay"), [(1.0, 0.25), (0.4, 0.07)])
def test_slayer_network(current_decay: float, voltage_decay: float, tmp_path: Path) -> None:
    mend_lava()
    slayer = pytest.importorskip("lava.lib.dl.slayer")
    block = slayer.block.cuba
    decays = {"current_decay": current_decay, "voltage_decay": voltage_decay}
    neuron = {"threshold": 1.25, "requires_grad": False} | decays
    torch.manual_seed(0)
    blocks = [
        block.Input(neuron, weight=1, bias=0.25, delay_shift=False),
        block.Conv(neuron, 2, 4, 3, padding=1, weight_scale=4, delay_shift=False),
        block.Pool(neuron, 2, weight_scale=1.1, delay_shift=False),
        block.Flatten(),
        block.Dense(neuron, 4 * 4 * 4, 20, weight_scale=4, delay_shift=False),
        block.Dense(neuron, 20, 5, weight_scale=8, delay_shift=False),
    ]
    # SLAYER rounds its input to even 64ths
    frame = torch.round(torch.rand(1, 2, 8, 8) * 32) / 32
    x = frame[..., None].repeat(1, 1, 1, 1, TIME_STEPS)
    spikes = []
    with torch.no_grad():
        for layer in blocks:
            x = layer(x)
            spikes.append(np.moveaxis(x[0].numpy() > 0, -1, 0))
    del spikes[3]
    with h5py.File(tmp_path / "slayer.net", "w") as file:
        for index, layer in enumerate(blocks):
            layer.export_hdf5(file.create_group(f"layer/{index}"))

    network = read_slayer(tmp_path / "slayer.net", TIME_STEPS)
    raw = network.input.encode(frame.numpy())
    found = simulate(network, raw, TIME_STEPS, Record.everything(network, states=False))
    for want, trace in zip(spikes, found.traces.values(), strict=True):
        assert want.any()
        assert np.array_equal(trace.spikes[:, 0], want)
