"""Every range of a .net file of lava-dl on both sides of both of its ends."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support import slayer_files
from support.slayer_files import NEURON, dense

import export.hdf5
from arlif.base.errors import FormatError
from arlif.core.network import QuantizedNetwork
from export.slayer import read_slayer
from export.slayer.cuba import WIDEST_THRESHOLD
from export.slayer.group import LARGEST, WIDEST, Group

FRAMES = {"type": "input", "shape": [3], "neuron": NEURON}
WEIGHT = np.array([[2, -4, 6], [8, 10, -12]])


@pytest.fixture(autouse=True)
def _sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files in this process: h5py has just written them, so libhdf5 survives them."""
    monkeypatch.setattr(export.hdf5, "rehearse", lambda path, module: None)


def read(folder: Path, first: dict[str, Any], then: dict[str, Any]) -> QuantizedNetwork:
    slayer_files.write(folder / "a.net", [FRAMES | first, dense(WEIGHT) | then])
    return read_slayer(folder / "a.net")


RANGES = {
    "decay of v": ("vDecay", lambda n: ({}, {"neuron": NEURON | {"vDecay": n}}), 0, 4096),
    "decay of i": ("iDecay", lambda n: ({}, {"neuron": NEURON | {"iDecay": n}}), 0, 4096),
    "threshold": (
        "vThMant",
        lambda n: ({}, {"neuron": NEURON | {"vThMant": n}}),
        0,
        WIDEST_THRESHOLD,
    ),
    "weight of frames": ("weight", lambda n: ({"weight": [n]}, {}), 1, 127),
    "bias of frames": ("bias", lambda n: ({"weight": [1], "bias": [n]}, {}), -(1 << 15), 32767),
    "bias": ("bias", lambda n: ({}, {"bias": [n, 0]}), -(1 << 15), 32767),
}


@pytest.mark.parametrize("name", RANGES)
def test_a_range_holds_its_ends_and_no_more(tmp_path: Path, name: str) -> None:
    field, layers, low, high = RANGES[name]
    assert read(tmp_path, *layers(low)) != read(tmp_path, *layers(high))
    for beyond in (low - 1, high + 1):
        with pytest.raises(FormatError, match=field):
            read(tmp_path, *layers(beyond))


def test_integers_of_24_bits_and_pairs() -> None:
    group = Group(
        "/here", {"n": LARGEST, "m": -LARGEST, "p": [WIDEST, 3], "q": 7, "o": LARGEST + 1}
    )
    assert group.integers("n").tolist() == -group.integers("m")
    assert group.integer("n", LARGEST, LARGEST) == LARGEST
    assert (group.pair("p"), group.pair("q")) == ((WIDEST, 3), (7, 7))
    for action in (
        lambda: group.integers("o"),
        lambda: group.pair("n"),
        lambda: Group("/here", {"p": [1, 2, 3]}).pair("p"),
        lambda: group.integer("p", 0, WIDEST),
        lambda: Group("/here", {"p": [WIDEST + 1, 1]}).pair("p"),
        lambda: Group("/here", {"n": 0.5}).integers("n"),
        lambda: Group("/here", {"n": []}).integers("n"),
    ):
        with pytest.raises(FormatError, match="/here"):
            action()


@pytest.mark.parametrize(
    ("ts", "samples", "want"), [(1, 24, 24), (5, 24, 4), (30, 24, 1), (4, 4, 1)]
)
def test_time_steps_are_those_that_fit_and_at_least_one(
    tmp_path: Path, ts: int, samples: int, want: int
) -> None:
    slayer_files.write(tmp_path / "a.net", [FRAMES, dense(WEIGHT)], samples)
    with h5py.File(tmp_path / "a.net", "r+") as file:
        file["simulation/Ts"][()] = ts
    assert read_slayer(tmp_path / "a.net").time_steps == want
