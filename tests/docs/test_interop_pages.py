"""The Python of docs/lava.md, docs/lava-dl.md and docs/interop.md runs as it stands."""

import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.networks_small import digits_like
from support.pages import run_blocks

import arlif
from export.lava import write_net
from export.nir import write_nir_lif
from hw_sim.engines.integer import reference


@pytest.fixture(autouse=True)
def _beside_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.lava
def test_lava() -> None:
    network, raw = digits_like(2)
    write_net(network, "network.net")
    scope: dict[str, Any] = {"inputs": raw}
    run_blocks("lava.md", scope)
    want = reference.simulate(network, raw, 4)
    assert np.array_equal(scope["simulation"].readout, want.readout)


def test_lava_dl() -> None:
    try:
        files = distribution("lava-dl")
    except PackageNotFoundError:
        pytest.skip("needs lava-dl")
    shutil.copy(str(files.locate_file("tests/lava/lib/dl/netx/mnist.net")), "mnist.net")
    scope: dict[str, Any] = {}
    run_blocks("lava-dl.md", scope)
    assert scope["network"].readout.shape == (10,)


def test_interop() -> None:
    from support.other_libraries import SHAPE, quietly, spiking_net

    write_nir_lif(spiking_net(lambda: arlif.LIF(0.75, 0.7, "hard")), "lif.nir", SHAPE)
    scope: dict[str, Any] = {"frame": torch.rand(3, 64), "state": None}
    with quietly():
        run_blocks("interop.md", scope)
    assert scope["spikes"].shape == (3, 10)
    assert scope["network"](scope["inputs"]).shape == (25, 8, 10)
