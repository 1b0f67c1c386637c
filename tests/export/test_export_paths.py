"""Every reader and writer takes a path as text, beside the caller, or as a Path, and names it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.networks_small import conv_net, digits_like
from support.slayer_files import write_random

from arlif.base.errors import FormatError
from export.lava import is_ours, read_net, write_net
from export.nir import is_native, load_nir, read_nir, write_nir, write_nir_lif
from export.onnx import write_onnx, write_onnx_float
from export.slayer import read_slayer
from hw_sim.engines import onnx as onnx_engine

READERS: list[Callable[[Any], Any]] = [
    read_net,
    is_ours,
    read_slayer,
    read_nir,
    is_native,
    load_nir,
]


def test_text_and_paths_name_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    network, raw = digits_like(2)
    write_net(network, "n.net")
    write_nir(network, "n.nir")
    write_onnx(network, "n.onnx")
    write_nir_lif(conv_net(), "float.nir", (1, 8, 8))
    write_onnx_float(conv_net(), "float.onnx", (1, 8, 8))
    write_random(tmp_path / "slayer.net", 0)
    assert read_net("n.net") == read_net(tmp_path / "n.net") == network
    assert read_nir("n.nir") == read_nir(tmp_path / "n.nir") == network
    assert is_ours("n.net")
    assert is_native("n.nir")
    assert load_nir("float.nir").input_shape == (1, 8, 8)
    assert read_slayer("slayer.net") == read_slayer(tmp_path / "slayer.net")
    got, want = (onnx_engine.simulate(path, raw, 4) for path in ("n.onnx", tmp_path / "n.onnx"))
    assert np.array_equal(got.readout, want.readout)
    assert (tmp_path / "float.onnx").stat().st_size > 0


@pytest.mark.parametrize("read", READERS)
def test_a_missing_file_is_named(read: Callable[[Any], Any]) -> None:
    with pytest.raises(FormatError, match=r"cannot read no-such-file\.nir"):
        read("no-such-file.nir")
