"""Seals, links and strange values in HDF5 files, and what other readers find in ours."""

import hashlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
from support.networks_integer import example_network
from support.networks_small import conv_net
from support.places import SHARED
from torch import nn

import export.hdf5
from arlif import LIF, layers
from arlif.artifacts import Artifact
from arlif.base import rehearsal
from arlif.base.errors import FormatError, LoweringError
from arlif.base.seal import LENGTH, is_sealed, sealed_path
from arlif.run_folder import Run
from export.hdf5 import MAX_DEPTH, read_tree
from export.lava import read_net, write_net
from export.nir import read_nir, write_nir, write_nir_lif
from export.records import difference

WRITERS: list[Callable[[Path], None]] = [
    lambda path: write_net(example_network(), path),
    lambda path: write_nir(example_network(), path),
    lambda path: write_nir_lif(conv_net(), path, (1, 8, 8)),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.h5"


@pytest.mark.parametrize("write", WRITERS, ids=["net", "nir", "lif.nir"])
def test_every_file_ends_in_the_digest_of_all_before_it(
    write: Callable[[Path], None], path: Path
) -> None:
    write(path)
    content = path.read_bytes()
    digest = hashlib.sha256(content[:-LENGTH]).digest()
    assert content.endswith(b"arlif sha256" + digest)
    assert is_sealed(path)


def test_a_long_file_is_sealed_to_its_end(path: Path) -> None:
    """A byte beyond the first MiB, and the last one before the seal."""
    content = bytes(3 << 20)
    with sealed_path(path) as temporary:
        temporary.write_bytes(content)
    sealed = path.read_bytes()
    assert is_sealed(path)
    assert hashlib.sha256(content).digest() == sealed[-32:]
    for position in (0, (2 << 20) + 5, len(content) - 1):
        path.write_bytes(sealed[:position] + b"\x01" + sealed[position + 1 :])
        with pytest.raises(FormatError, match="damaged after it was written"):
            is_sealed(path)
    path.write_bytes(sealed[:-1])
    assert not is_sealed(path)
    for short in (b"", sealed[-LENGTH + 1 :]):
        path.write_bytes(short)
        assert not is_sealed(path)


def sealed(path: Path, change: Callable[[h5py.File], object]) -> Path:
    """A file with a seal that fits."""
    with sealed_path(path) as temporary, h5py.File(temporary, "w") as file:
        change(file)
    return path


def test_a_file_is_tried_in_a_process_of_its_own(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed or not; one that the run has noted is not, until it changes."""
    tried: list[Path] = []
    monkeypatch.setattr(export.hdf5, "rehearse", lambda path, module: tried.append(path))
    assert read_tree(sealed(path, lambda file: file.create_dataset("x", data=1))) == {"x": 1}
    assert tried == [path]
    run = Run(path.parent)
    run.record(Artifact(path.name, "import FILE"))
    assert read_tree(path) == {"x": 1}
    assert tried == [path]
    with h5py.File(path, "a"):
        pass
    assert read_tree(path) == {"x": 1}
    assert tried == [path, path]


@pytest.fixture
def new_reader() -> Iterator[None]:
    """Started where it is needed, and not left to other tests."""
    rehearsal._reader.cache_clear()
    yield
    rehearsal._reader.cache_clear()


@pytest.mark.usefixtures("new_reader")
@pytest.mark.parametrize("end", ["import os; os.abort()", "raise SystemExit(3)"])
def test_a_file_that_ends_that_process_is_damaged(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    with h5py.File(path, "w") as file:
        file["x"] = 1
    (tmp_path / "h5py.py").write_text(end)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(FormatError, match="the HDF5 library crashed"):
        read_tree(path)


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared, which is not in the repository")
def test_a_seal_that_was_made_anew_vouches_for_nothing() -> None:
    """libhdf5 reads this file for ever; what comes after it is read again."""
    file = SHARED / "cases" / "reliability" / "resealed.nir"
    assert is_sealed(file)
    with pytest.raises(FormatError, match="still not read after 5 s"):
        read_nir(file)


def test_one_process_tries_many_files(path: Path) -> None:
    """Also after one that it refuses, and after it was killed."""
    good = sealed(path, lambda file: file.create_dataset("x", data=1))
    bad = sealed(path.with_name("b.h5"), lambda file: file.create_dataset("x", data=1j))
    assert read_tree(good) == {"x": 1}
    first = rehearsal._reader(os.getpid(), "export.hdf5")._process.pid
    with pytest.raises(FormatError, match="only numbers"):
        read_tree(bad)
    assert read_tree(good) == {"x": 1}
    assert rehearsal._reader(os.getpid(), "export.hdf5")._process.pid == first
    os.kill(first, signal.SIGKILL)
    with pytest.raises(FormatError, match="crashed"):
        read_tree(good)
    assert read_tree(good) == {"x": 1}


def test_groups_are_as_deep_as_any_format_needs(path: Path) -> None:
    def nested(depth: int) -> Callable[[h5py.File], object]:
        return lambda file: file.create_dataset("/".join(["g"] * depth + ["x"]), data=1)

    tree = read_tree(sealed(path, nested(MAX_DEPTH)))
    for _ in range(MAX_DEPTH):
        tree = tree["g"]
    assert tree == {"x": 1}
    with pytest.raises(FormatError, match="nested deeper than 16"):
        read_tree(sealed(path, nested(MAX_DEPTH + 1)))


def test_as_many_values_as_are_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export.hdf5, "MAX_VALUES", 6)
    assert read_tree(sealed(path, lambda file: file.create_dataset("x", (2, 3), "i1")))
    with pytest.raises(FormatError, match="more than 6"):
        read_tree(sealed(path, lambda file: file.create_dataset("x", (7,), "i1")))


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3,), "i1")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3,))
    file.create_virtual_dataset("x", layout)


STRANGE: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "soft link": (lambda f: f.__setitem__("x", h5py.SoftLink("/y")), "link to another place"),
    "virtual": (virtual, "does not hold its own data"),
    "external": (
        lambda f: f.create_dataset("x", (3,), "i1", external=[("/etc/hostname", 0, 3)]),
        "does not hold its own data",
    ),
    "type": (lambda f: f.__setitem__("x", np.dtype("i4")), "does not hold its own data"),
    "empty": (lambda f: f.__setitem__("x", h5py.Empty("f4")), "holds no value"),
    "complex": (lambda f: f.__setitem__("x", 1j), "only numbers, booleans and text"),
    "record": (
        lambda f: f.__setitem__("x", np.zeros(1, [("a", "i4")])),
        "only numbers, booleans and text",
    ),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_no_plain_data_is_refused(path: Path, name: str) -> None:
    change, message = STRANGE[name]
    with pytest.raises(FormatError, match=message):
        read_tree(sealed(path, change))


@pytest.mark.parametrize(("write", "read"), [(write_net, read_net), (write_nir, read_nir)])
@pytest.mark.parametrize("version", [0, 2])
def test_older_and_newer_numerics_are_refused(
    path: Path, write: Any, read: Any, version: int
) -> None:
    write(example_network(), path)
    changed = path.with_name("b.h5")
    with sealed_path(changed) as temporary:
        shutil.copy(path, temporary)
        with h5py.File(temporary, "r+") as file:
            about = "arlif" if "arlif" in file else "node/metadata/arlif"
            file[f"{about}/numerics_version"][()] = version
    with pytest.raises(FormatError, match=f"numerics version {version}, this arlif has"):
        read(changed)


@pytest.mark.parametrize(
    ("want", "got", "where"),
    [
        ({"a": {"b": 1}, "c": 2}, {"a": {"b": 1}, "c": 3}, "/c"),
        ({"a": {"b": 1}}, {"a": {"b": 1, "x": 2}}, "/a/x"),
        ({"a": 1, "b": 2}, {"a": 1}, "/b"),
        ({"a": np.array([0.1])}, {"a": np.nextafter(np.array([0.1]), 1)}, "/a"),
        ({"a": np.int8([1])}, {"a": np.int16([1])}, "/a"),
        ({"a": np.int8([1])}, {"a": np.int8([[1]])}, "/a"),
        ({"a": 1}, {"a": 1.0}, "/a"),
        ({"a": {"b": 1}}, {"a": 1}, "/a"),
        ({"a": 1, "b": {}}, {"a": np.int16(1)}, None),
    ],
)
def test_the_first_difference_of_two_trees(want: Any, got: Any, where: str | None) -> None:
    assert difference(want, got) == where


def test_a_group_with_a_strange_number_is_foreign(path: Path) -> None:
    write_net(example_network(), path)
    changed = path.with_name("b.h5")
    with sealed_path(changed) as temporary:
        shutil.copy(path, temporary)
        with h5py.File(temporary, "r+") as file:
            file["layer/one/type"] = "dense"
    with pytest.raises(FormatError, match=r"no \.net file of arlif, or it is damaged"):
        read_net(changed)


def test_nirs_own_nodes_in_a_native_file(path: Path) -> None:
    """h5py reads what nir's tools would: the fields that our reader does not need too."""
    network = example_network()
    write_nir(network, path)
    with h5py.File(path) as file:
        nodes = file["node/nodes"]
        conv = nodes["input.conv.0.0"]
        assert conv["input_shape"][()].tolist() == [6, 6]
        assert (conv["bias"].dtype, conv["bias"][()].tolist()) == (np.int8, [0, 0, 0])
        flatten = nodes["conv.mixed.1.1"]
        assert flatten["type"].asstr()[()] == "Flatten"
        assert (flatten["start_dim"][()], flatten["end_dim"][()]) == (0, -1)
        assert flatten["input_type"][()].tolist() == [3, 3, 3]
        pool = nodes["conv.mixed.1.0"]
        assert [pool[n][()].tolist() for n in ("kernel_size", "stride", "padding")] == [
            [2, 2],
            [2, 2],
            [0, 0],
        ]
        assert nodes["conv.mixed.1/shift"][()] == 2
        about = file["node/metadata/arlif"]
        assert (about["time_steps"][()], about["numerics_version"][()]) == (4, 1)
        source = nodes["input/metadata/arlif"]
        assert [source[n][()] for n in ("low", "high", "static")] == [-127, 127, True]


def test_pools_and_biases_of_a_plain_file(path: Path) -> None:
    """A mean over 2 x 3 is a sum behind a bias of a sixth; a leak of 1/4 multiplies both by 4.

    Between groups weights are 0.
    """
    conv = layers.Conv2d(2, 4, (3, 1), (2, 1), (1, 0), groups=2)
    pool, head = layers.AvgPool2d((2, 3), (1, 3)), layers.Linear(16, 3)
    write_nir_lif(nn.Sequential(conv, pool, LIF(0.75), layers.Flatten(), head), path, (2, 6, 6))
    nodes = nir.read(path, type_check=False).nodes  # nir 1.0 takes kernels for square
    synapse, sums, last = nodes["2_synapse"], nodes["2_pool"], nodes["output_synapse"]
    full = np.zeros((4, 2, 3, 1), np.float32)
    full[:2, :1], full[2:, 1:] = conv.weight.detach().split(2)
    assert np.allclose(synapse.weight, full * 4 / 6)
    assert np.allclose(synapse.bias, conv.bias.detach() * 4 / 6)
    assert (*synapse.stride, *synapse.padding, *synapse.dilation) == (2, 1, 1, 0, 1, 1)
    assert (synapse.groups, *synapse.input_shape) == (1, 6, 6)
    assert [*sums.kernel_size, *sums.stride, *sums.padding] == [2, 3, 1, 3, 0, 0]
    assert np.allclose(last.bias, head.bias.detach())
    assert last.weight.shape == (3, 4, 2, 2)


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_weights_and_biases_past_float32_are_refused(path: Path, name: str) -> None:
    """A leak of 1/2 doubles them."""
    first = layers.Linear(3, 2)
    getattr(first, name).data.fill_(3e38)
    with pytest.raises(LoweringError, match="overflows float32"):
        write_nir_lif(nn.Sequential(first, LIF(0.5), layers.Linear(2, 1)), path, (3,))
    assert not path.exists()
