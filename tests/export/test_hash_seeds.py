"""Equal networks give equal files, in whatever order a process happens to walk its sets."""

import os
import subprocess
import sys
from pathlib import Path

from support.places import SUPPORT

WRITER = """
import sys
from pathlib import Path
import numpy as np
from arlif.artifacts import NIR
from arlif.core.maps import Dense
from arlif.core.network import INPUT, READOUT, Input, Population, Projection, QuantizedNetwork
from arlif.core.network import Readout
from export.file_formats import FORMATS
from support.networks_integer import example_network

neuron = example_network().populations[1].neuron
names = ["hop", "skip", "jump", "turn", "rest"]
gain, bias = np.full(3, 3), np.arange(3)
weights = (Dense(np.arange(9, dtype=np.int8).reshape(3, 3)),)
network = QuantizedNetwork(
    Input((3,), 1.0),
    tuple(Population(name, (3,), neuron, gain, 2, bias) for name in names),
    (
        *(Projection(INPUT, name, weights) for name in names),
        *(Projection(a, b, weights, delay=1) for a, b in zip(names, [*names[1:], names[0]])),
        Projection("rest", READOUT, weights),
    ),
    Readout(np.arange(3)),
    2,
)
for row in FORMATS.values():
    if NIR in (row.artifact, row.artifact.made_from):
        path = Path(sys.argv[1]) / row.artifact.name
        path.parent.mkdir(parents=True, exist_ok=True)
        row.write(network, path, *row.asked({}))
"""
"""Writes a loop of populations, each fed from outside too, in every format of integers."""


def files(folder: Path, hash_seed: int) -> dict[str, bytes]:
    """What a process with this seed of Python's hashes writes."""
    subprocess.run(
        [sys.executable, "-c", WRITER, str(folder)],
        cwd=SUPPORT.parent,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        check=True,
        timeout=120,
    )
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_every_format_is_the_same(tmp_path: Path) -> None:
    want = files(tmp_path / "0", 0)
    assert {"network.nir", "network.net", "network.onnx", "c/network.c"} <= want.keys()
    for hash_seed in (1, 2):
        got = files(tmp_path / str(hash_seed), hash_seed)
        assert got.keys() == want.keys()
        assert not [name for name in want if got[name] != want[name]]
