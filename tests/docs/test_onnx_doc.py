"""The six lines of docs/onnx.md run as they stand, without arlif, and decide as the reference."""

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from support.pages import DOCS, run_blocks
from support.raw_neurons import lif_soft, sampled

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import Numbers
from arlif.core.maps import Conv2d, Dense
from arlif.core.network import Input, Population, Projection, QuantizedNetwork, Readout
from arlif.core.real_neurons import RealArlif
from export.onnx import write_onnx
from hw_sim.engines.integer import reference


def test_the_six_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(
        r"<!-- example: run -->\n```python\n(.*?)```", (DOCS / "onnx.md").read_text("utf-8"), re.S
    )
    assert found is not None
    lines = found[1].splitlines()
    assert len(lines) == 6
    assert "arlif" not in found[1]

    rng = np.random.default_rng(0)
    neuron = sampled(RealArlif(0.5, 1.0, 0.8, 0.3), Numbers())
    conv, dense = rng.integers(-127, 128, (4, 2, 3, 3)), rng.integers(-127, 128, (5, 144))
    network = QuantizedNetwork(
        Input((2, 8, 8), scale=0.01, low=0, high=100),
        (Population("conv1", (4, 6, 6), neuron, np.full(4, 80), 12, np.zeros(4)),),
        (
            Projection("input", "conv1", (Conv2d(conv),)),
            Projection("conv1", "readout", (Dense(dense),)),
        ),
        Readout(np.zeros(5)),
        time_steps=4,
    )
    write_onnx(network, tmp_path / "network.onnx")
    monkeypatch.chdir(tmp_path)
    names = {"images": rng.uniform(-0.1, 1.2, (50, 2, 8, 8))}
    run_blocks("onnx.md", names)
    want = reference.simulate(network, network.input.encode(names["images"]), 4)
    assert len(set(want.decisions)) > 1
    assert np.array_equal(names["decisions"], want.decisions)
    assert np.array_equal(names["simulation"].readout, want.readout)


def test_formats_lists_every_metadata_key_and_output(tmp_path: Path) -> None:
    network = QuantizedNetwork(
        Input((3,), 1.0),
        (Population("p", (3,), lif_soft(FixedPointFormat(), 8, 128, 9), [1] * 3, 0, [0] * 3),),  # type: ignore[arg-type]
        (Projection("input", "p", ()), Projection("p", "readout", ())),
        Readout(np.zeros(3)),
        time_steps=1,
    )
    write_onnx(network, tmp_path / "network.onnx", states=True)
    model = onnx.load(tmp_path / "network.onnx")
    names = [entry.key for entry in model.metadata_props]
    names += [
        value.name.replace("p.", "<p>.").replace(".u", ".<v>") for value in model.graph.output
    ]
    names += [value.name for value in model.graph.input]
    text = (
        (DOCS / "formats.md").read_text("utf-8").partition("\n## `.onnx`")[2].partition("\n## ")[0]
    )
    rows = " ".join(line.split("|")[1] for line in text.splitlines() if line.startswith("|"))
    assert not [name for name in names if f"`{name}`" not in rows]
