"""Ground truth that lava-dl stores, and what reproduces it: spikes, and u and v of Loihi."""

from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.slayer import read_slayer
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record

PILOTNET = ("conv-0", "conv-1", "conv-2", "conv-3", "conv-4", "fc-0", "fc-1", "fc-2")


def folder() -> Path:
    """Where lava-dl keeps it; PackageNotFoundError where there is no lava-dl."""
    return Path(str(distribution("lava-dl").locate_file("tests/lava/lib/dl/netx")))


def load(path: Path) -> NDArray[Any]:
    """An array of lava-dl, [W, H, C, T] or [features, T], as [T, C, H, W] or [T, features]."""
    return np.load(path, allow_pickle=False).T


def check_tinynet(truth: Path, engine: Any) -> None:
    """The spikes of tiny.net, every layer."""
    network = read_slayer(truth / "tiny.net")
    assert network.time_steps == 64
    frame = load(truth / "gts/tinynet/input_bias.npy") - 34
    record = Record.everything(network, states=False)
    found = engine.simulate(network, frame[None].astype(np.int8), 15, record)
    # SLAYER's arrays are [1, C, H, W, T] and start one step early
    for name, file in (("layer0", "input"), ("layer1", "layer1"), ("layer2", "output")):
        want = np.load(truth / f"gts/tinynet/{file}.npy", allow_pickle=False)
        want = np.moveaxis(want[0], -1, 0)[1:]
        assert want.any()
        assert np.array_equal(found.traces[name].spikes[:, 0], want.astype(bool))


def check_pilotnet_lif(truth: Path) -> None:
    """Spikes, u and v, 16 steps after the reset; layer l was recorded l steps late.

    Where a neuron fired, v reads 128, a register of the chip. fc-3 was recorded from other inputs.
    """
    folder = truth / "gts/pilotnet_lif"
    network = read_slayer(folder / "network.net")
    frame = load(folder / "image.npy") - 36
    found = reference.simulate(network, frame[None].astype(np.int8), 16, Record.everything(network))
    spiking = list(found.traces.values())
    assert np.array_equal(spiking[0].spikes[:, 0], load(folder / "input.npy")[:16])
    for late, (name, trace) in enumerate(zip(PILOTNET, spiking[1:9], strict=True), start=1):
        spikes, u, v = (load(folder / f"{name}{kind}.npy")[late:][:16] for kind in ("", "-u", "-v"))
        assert np.array_equal(trace.spikes[:, 0], spikes)
        assert np.array_equal(trace.states["u"][:, 0], u)
        assert np.array_equal(trace.states["v"][:, 0][~spikes], v[~spikes])
        assert spikes.any()
        assert set(v[spikes]) == {128}
