"""Arrays that others left: every integer type is read, and nothing that could do harm."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.networks_integer import example_network

from arlif.base.errors import FormatError
from arlif.core.graph import SPIKES
from export.golden import golden
from export.vectors.foreign_traces import read_foreign
from export.vectors.layouts import layouts, values_of

KNOWN = layouts(example_network(), 3)
VALUES = values_of(example_network(), golden(example_network(), 3))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "traces.npz"


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("dtype", ["int64", ">i4", "uint32"])
def test_arrays_of_any_integers_are_read(path: Path, order: Any, dtype: str) -> None:
    small = {name: np.abs(v[:, :2] if v.ndim > 2 else v[:2]) for name, v in VALUES.items()}
    small["input"] = np.abs(VALUES["input"][:2])
    given_ = {
        n: np.array(v, np.uint8 if SPIKES in n else dtype, order=order) for n, v in small.items()
    }
    np.savez_compressed(path, **given_)
    for name, values in read_foreign(path, KNOWN).items():
        np.testing.assert_array_equal(values, small[name])


def test_a_folder_holds_either_form(tmp_path: Path) -> None:
    (tmp_path / "conv.spikes.hex").write_text("1\n" * VALUES["conv.spikes"].size)
    np.save(tmp_path / "readout.npy", VALUES["readout"])
    (tmp_path / "readout.hex").write_text("of another tool")
    (tmp_path / "notes.txt").write_text("nothing")
    found = read_foreign(tmp_path, KNOWN)
    assert {*found} == {"conv.spikes", "readout"}
    assert (found["conv.spikes"] == 1).all()
    (tmp_path / "conv.spikes.hex").write_text("1\n" * (VALUES["conv.spikes"].size - 1))
    with pytest.raises(FormatError, match=r"conv\.spikes: has 1,295 words, not 1,296"):
        read_foreign(tmp_path, KNOWN)


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "conv.spikes.npy")
    with pytest.raises(FormatError, match="nothing can be compared"):
        read_foreign(tmp_path, KNOWN)
    with pytest.raises(FormatError, match="is no file and no folder"):
        read_foreign(tmp_path / "conv.spikes.npy", KNOWN)


def test_every_violation_is_named_at_once(path: Path) -> None:
    wrong = {
        "conv.spike": VALUES["conv.spikes"],
        "conv.spikes": VALUES["conv.spikes"] * 2,
        "conv.current": VALUES["conv.current"][:3],
        "mixed.current": VALUES["mixed.current"].astype(np.float32),
        "mixed.state.u": VALUES["mixed.state.u"].astype(np.uint64),
        "mixed.spikes": VALUES["mixed.spikes"][:, :1],
        "readout": VALUES["readout"],
    }
    np.savez(path, **wrong)
    with pytest.raises(FormatError) as error:
        read_foreign(path, KNOWN)
    for part in (
        "there is no array 'conv.spike'",
        "conv.spikes: holds 0 to 2; spikes are 0 or 1",
        "conv.current: has shape (3, 3, 3, 6, 6), not (4, 3, 3, 6, 6) (T, N, C, H, W)",
        "mixed.current: holds no integers of at most 64 bits",
        "mixed.state.u: holds no integers of at most 64 bits",
        "different numbers of samples: mixed.spikes of 1, readout of 3",
        "There may be: input, conv.accumulator",
    ):
        assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_nothing_is_unpickled_or_unpacked_that_does_not_fit(path: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    np.savez(path, **{"conv.spikes": np.array([Trap()], object)})  # type: ignore[arg-type]
    with pytest.raises(FormatError, match="holds no integers"):
        read_foreign(path, KNOWN)
    assert not (tmp_path / "sprung").exists()
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (4, 3, 3, 6, 6)}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("conv.spikes.npy", header.getvalue() + bytes(1 << 25))
    with pytest.raises(FormatError, match="is cut short, or longer than its shape says"):
        read_foreign(path, KNOWN)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="nothing can be compared"):
        read_foreign(tmp_path / "empty", KNOWN)


def test_a_damaged_file_is_refused_and_nothing_else(path: Path) -> None:
    np.savez_compressed(path, **VALUES)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(0)
    refused = []
    for _ in range(60):
        data = whole.copy()
        at = rng.integers(len(data), size=2 ** rng.integers(0, 10))
        data[at] = rng.integers(256, size=at.size)
        path.write_bytes(
            data[: len(data) if rng.random() < 0.7 else rng.integers(len(data))].tobytes()
        )
        try:
            read_foreign(path, KNOWN)
        except FormatError as error:
            refused.append(str(error))
    assert len(refused) > 40
    assert not [message for message in refused if "\n" in message]
