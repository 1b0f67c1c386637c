"""A run of a network over signals (C, L): its data may be written (C, L) or (C, 1, L)."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from arlif.run_folder import Run
from export.file_formats import FLOAT_ONNX
from hw_sim.engines.table import find_engine
from hw_sim.engines.traces import read_traces
from hw_sim.pipeline import Selection, export_run, import_run, simulate_run

pytest.importorskip("snntorch")

SCRIPT = """
import snntorch, torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.lif = nn.Conv1d(2, 6, 5, padding=2), snntorch.Leaky(0.8, threshold=0.3)
        self.pool, self.fc = nn.MaxPool1d(2), nn.Linear(48, 3)
        self.last = snntorch.Leaky(0.8, threshold=0.3)

    def forward(self, x):
        mem, out = self.lif.init_leaky(), self.last.init_leaky()
        spikes = []
        for now in x:
            spk, mem = self.lif(self.conv(now), mem)
            spk, out = self.last(self.fc(self.pool(spk).flatten(1)), out)
            spikes.append(spk)
        return torch.stack(spikes)

def build():
    torch.manual_seed(0)
    return Net()
"""
T, X = 6, (np.random.default_rng(1).random((6, 8, 2, 16)) < 0.4).astype(np.float32)


@pytest.mark.parametrize("shape", [(2, 16), (2, 1, 16)])
def test_data_are_written_in_both_ways(shape: tuple[int, ...], tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(SCRIPT)
    np.save(tmp_path / "x.npy", X.reshape(T, 8, *shape))
    np.save(tmp_path / "signals.npy", X)
    run = tmp_path / "run"
    found = import_run(tmp_path / "nets.py:build", run, T, calibrate=tmp_path / "x.npy")
    assert found["input_shape"] == [2, 1, 16]
    export_run(run, ("float",))
    counts: dict[str, np.ndarray] = {}
    for name in ("float", "integer", "onnx"):
        for inputs in ("x.npy", "signals.npy"):
            simulate_run(run, name, Selection(inputs=tmp_path / inputs))
            got = read_traces(Run(run).path(find_engine(name).traces)).readout
            np.testing.assert_array_equal(counts.setdefault(name, got), got)
    np.testing.assert_array_equal(counts["integer"], counts["onnx"])
    assert np.unique(counts["float"]).size > 2
    session = onnxruntime.InferenceSession(Run(run).path(FLOAT_ONNX))
    (logits,) = session.run(["logits"], {"input": X.reshape(T, 8, 2, 1, 16)})
    np.testing.assert_allclose(logits.sum(0), counts["float"], atol=1.01)
