"""lava-dl's own stored ground truth is reproduced: spikes, and u and v of Loihi hardware."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
from support import lava_dl_truth
from support.lava_dl_truth import check_pilotnet_lif, check_tinynet

from arlif.base.errors import FormatError
from export.slayer import read_slayer
from hw_sim.engines import onnx as onnx_engine
from hw_sim.engines.integer import fast, reference


@pytest.fixture(scope="module")
def truth() -> Path:
    try:
        folder = lava_dl_truth.folder()
    except PackageNotFoundError:
        pytest.skip("lava-dl is not installed")
    if not (folder / "tiny.net").is_file():
        pytest.skip("this lava-dl was installed without its tests")
    return folder


@pytest.mark.parametrize("engine", [reference, fast, onnx_engine])
def test_tinynet(truth: Path, engine: Any) -> None:
    check_tinynet(truth, engine)


def test_pilotnet_lif(truth: Path) -> None:
    check_pilotnet_lif(truth)


def test_mnist_is_read(truth: Path) -> None:
    network = read_slayer(truth / "mnist.net")
    assert [p.shape for p in network.populations] == [(784,), (512,), (512,)]
    assert network.readout.shape == (10,)
    assert network.time_steps == 16
    assert network.input.static
    assert network.input.scale == 1 / 76


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("gts/ntidigits/ntidigits.net", "/layer/2: has delay, which is not supported"),
        ("gts/pilotnet_sdnn/network.net", "neurons of type 'SDNN' are not supported"),
        ("gts/pilotnet_sdnn/square_network.net", "neurons of type 'SDNN' are not supported"),
    ],
)
def test_networks_beyond_the_layers_are_refused_by_name(
    truth: Path, file: str, message: str
) -> None:
    with pytest.raises(FormatError, match=message):
        read_slayer(truth / file)
