"""Networks of lava-dl spike on our engines as stock netx lets them spike on Lava."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import slayer_files
from support.places import SUPPORT

from arlif.core.network import QuantizedNetwork
from export.slayer import read_slayer
from hw_sim.engines.integer.reference import simulate
from hw_sim.engines.simulation import Record

pytestmark = pytest.mark.lava


def on_lava(net: Path, data: NDArray[Any], feed: str, folder: Path) -> dict[str, NDArray[Any]]:
    np.save(folder / "data.npy", data)
    command = [sys.executable, str(SUPPORT / "netx_probe.py"), str(net), str(folder / "data.npy")]
    done = subprocess.run(
        [*command, feed, str(folder / "out.npz")], capture_output=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    with np.load(folder / "out.npz") as found:
        return dict(found)


def assert_same(
    network: QuantizedNetwork, raw: NDArray[np.int8], lava: dict[str, NDArray[Any]], states: str
) -> None:
    """Layer i on Lava is the i-th population; of layer 0 only `states` are compared."""
    time_steps = len(lava["s0"])
    ours = simulate(network, raw, time_steps, Record.everything(network))
    for index, trace in enumerate(ours.traces.values()):
        assert 0 < trace.spikes.mean() < 1
        assert np.array_equal(trace.spikes[:, 0], lava[f"s{index}"].astype(bool))
        for variable in "uv" if index else states:
            assert np.array_equal(trace.states[variable][:, 0], lava[f"{variable}{index}"])


@pytest.fixture
def mnist() -> Path:
    try:
        path = Path(str(distribution("lava-dl").locate_file("tests/lava/lib/dl/netx/mnist.net")))
    except PackageNotFoundError:
        pytest.skip("lava-dl is not installed")
    return path


@pytest.mark.parametrize("feed", ["bias", pytest.param("current", marks=pytest.mark.slow)])
def test_mnist_over_64_steps(mnist: Path, feed: str, tmp_path: Path) -> None:
    network = read_slayer(mnist)
    raw = np.random.default_rng(0).integers(-60, 77, 784).astype(np.int8)
    current = raw.astype(int) + 64
    data = current if feed == "bias" else np.repeat(current[:, None], 64, 1)
    lava = on_lava(mnist, data, feed, tmp_path)
    # a bias goes to v past u, a current through u
    assert_same(network, raw[None], lava, "v" if feed == "bias" else "uv")
    readout = simulate(network, raw[None], 64).readout[0]
    assert np.array_equal(readout * 64, lava["u3"][-1])
    assert not lava["s3"].any()


@pytest.mark.parametrize("seed", [0, *(pytest.param(s, marks=pytest.mark.slow) for s in (1, 2, 3))])
def test_random_networks(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "random.net"
    slayer_files.write_random(path, seed)
    network = read_slayer(path)
    rng = np.random.default_rng(seed)
    spikes = rng.integers(0, 2, (24, 1, *network.input.shape)).astype(np.int8)
    lava = on_lava(path, spikes[:, 0].T, "spikes", tmp_path)
    assert_same(network, spikes, lava, "uv")


def test_numbers_wider_than_loihis_registers(tmp_path: Path) -> None:
    """Lava's simulator takes them, so they are read: each layer drives the next to its edge."""
    path, identity = tmp_path / "wide.net", 2 * np.eye(2, dtype=int)
    identity[0, 1] = -2
    constants = [
        {"iDecay": 0, "vThMant": 2},
        {"vDecay": 4096, "iDecay": 1, "vThMant": 2},
        {"vDecay": 0, "vThMant": 2**17},
        {"vDecay": 0, "vThMant": 2**18 - 1},
    ]
    biases = [[0, 0], [4096, -4097], [32767, -32768], [32767, -32768]]
    layers = [
        slayer_files.dense(identity, slayer_files.NEURON | neuron, bias=np.array(bias, float))
        for neuron, bias in zip(constants, biases, strict=True)
    ]
    slayer_files.write(path, [{"type": "input", "shape": [2]}, *layers])
    network = read_slayer(path)
    spikes = np.random.default_rng(0).integers(0, 2, (24, 1, 2)).astype(np.int8)
    lava = on_lava(path, spikes[:, 0].T, "spikes", tmp_path)
    ours = simulate(network, spikes, 24, Record.everything(network))
    for index, trace in enumerate(ours.traces.values()):
        assert np.array_equal(trace.spikes[:, 0], lava[f"s{index}"].astype(bool))
        for variable in "uv":
            assert np.array_equal(trace.states[variable][:, 0], lava[f"{variable}{index}"])
    assert lava["s1"].any()
    assert np.abs(lava["v3"]).max() > 2**22
