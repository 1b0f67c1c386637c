"""Native NIR profile: what is written is read back equal, and nothing else is read at all."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from support.damage import refusals
from support.networks_integer import example_network
from support.places import DOCS
from support.strategies import networks

from arlif.base import rehearsal
from arlif.base.errors import ArlifError, FormatError
from arlif.base.seal import sealed_path
from arlif.core.network import (
    QuantizedNetwork,
)
from export.hdf5 import Tree, read_tree
from export.nir import read_nir, write_nir
from export.nir.read_native import native_network


def test_a_process_that_lacks_a_package_is_no_damaged_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "foreign.h5"
    with h5py.File(path, "w") as file:
        file["x"] = 1
    (tmp_path / "h5py.py").write_text("raise ModuleNotFoundError('No module named h5py')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(rehearsal, "_reader", cache(rehearsal._reader.__wrapped__))  # a new one
    with pytest.raises(ArlifError, match=r"foreign.h5 .*No module named h5py.*PYTHONPATH") as found:
        read_tree(path)
    assert not isinstance(found.value, FormatError)


def check_round_trip(network: QuantizedNetwork, path: Path) -> None:
    write_nir(network, path)
    assert read_nir(path) == network
    with h5py.File(path) as file:
        for population in network.populations:
            node = file["node/nodes"][population.name]
            assert node["neuron/name"].asstr()[()] == population.neuron.name
            assert np.array_equal(node["bias"], population.bias)


HEALTH = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=30, **HEALTH)
@given(network=networks())
def test_networks_come_back_equal(
    network: QuantizedNetwork, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_round_trip(network, tmp_path_factory.getbasetemp() / "network.nir")


@pytest.mark.slow
@settings(max_examples=200, **HEALTH)
@given(network=networks())
def test_two_hundred_networks_come_back_equal(
    network: QuantizedNetwork, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_round_trip(network, tmp_path_factory.getbasetemp() / "network.nir")


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "example.nir"
    write_nir(example_network(), path)
    return path


def entries(tree: Tree) -> Iterator[tuple[Tree, str]]:
    """Every entry of a tree, as the group that holds it and its name."""
    for name, item in tree.items():
        yield tree, name
        if isinstance(item, dict):
            yield from entries(item)


def test_every_field_is_documented(example: Path) -> None:
    page = DOCS / "formats.md"
    nir_part = page.read_text().split("## `.nir`: quantized networks")[1]
    names = {name for _, name in entries(read_tree(example)["node"])}
    fields = {name for name in names if "." not in name} - {"conv", "mixed"}
    assert {"weight", "numerics_version", "gate", "values", "padding"} < fields
    assert [name for name in sorted(fields) if name not in nir_part] == []


def test_no_field_can_be_missing(example: Path) -> None:
    graph = read_tree(example)["node"]
    places = list(entries(graph))
    assert len(places) > 60
    for group, name in places:
        item = group.pop(name)
        with pytest.raises(ArlifError):
            native_network(graph)
        group[name] = item
    assert native_network(graph) == example_network()


def test_no_field_can_have_another_type(example: Path) -> None:
    graph = read_tree(example)["node"]
    wrongs = ("text", np.float64(0.5), np.array([1.5, 2.5]), np.int16([[1]]), np.array(["a"]), {})
    for group, name in list(entries(graph)):
        item = group[name]
        for wrong in wrongs:
            if type(item) is type(wrong) and np.shape(item) == np.shape(wrong):
                continue
            group[name] = wrong
            with pytest.raises(ArlifError):
                native_network(graph)
        group[name] = item


def edges(*pairs: tuple[str, str]) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        old = [tuple(pair) for pair in file["node/edges"].asstr()[()]]
        del file["node/edges"]
        file["node/edges"] = [*old, *pairs]

    return change


def loop(file: h5py.File) -> None:
    file["node/loop"] = file["node"]


def external(file: h5py.File) -> None:
    file["node/more"] = h5py.ExternalLink("/dev/zero", "/")


def bomb(file: h5py.File) -> None:
    file.create_dataset("node/more", (1 << 40,), "i1", chunks=True, compression="gzip")


def extra_node(file: h5py.File) -> None:
    file.copy("node/nodes/mixed", "node/nodes/spare")


def version(file: h5py.File) -> None:
    file["node/metadata/arlif/numerics_version"][()] = 999


def old_layout(file: h5py.File) -> None:
    del file["node/metadata/arlif/format_version"]


def unknown_neuron(file: h5py.File) -> None:
    file["node/nodes/mixed/type"][()] = "CubaLIF"


def bias_in_convolution(file: h5py.File) -> None:
    file["node/nodes/input.conv.0.0/bias"][...] = 1


def wide_gain(file: h5py.File) -> None:
    del file["node/nodes/mixed/gain"]
    file["node/nodes/mixed/gain"] = np.full(5, 300, np.int64)


def bad_decay(file: h5py.File) -> None:
    file["node/nodes/mixed/neuron/constants/decay/value"][()] = 100_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (edges(("conv", "ghost")), "edges"),
        (edges(("ghost", "mixed")), "ghost"),
        (edges(("conv", "mixed")), "conv/shift"),
        (edges(("input.conv.0", "input.conv.0.0")), "sources"),
        (edges(("mixed.readout.3", "conv")), "cycle"),
        (loop, "nested deeper"),
        (external, "link"),
        (bomb, "more than"),
        (extra_node, "spare"),
        (version, "numerics version 999"),
        (old_layout, "has layout 1, this arlif reads layouts 3 and 4; quantize or export"),
        (unknown_neuron, "mixed/type is not what"),
        (bias_in_convolution, "input.conv.0.0/bias"),
        (wide_gain, "mixed/gain must hold uint8"),
        (bad_decay, "decay of .* reaches 100000"),
    ],
)
def test_each_surprise_is_named(
    example: Path, change: Callable[[h5py.File], None], message: str
) -> None:
    with h5py.File(example, "a") as file:
        change(file)
    changed = example.read_bytes()
    with sealed_path(example) as temporary:  # read without a process of its own
        temporary.write_bytes(changed)
    with pytest.raises(ArlifError, match=message):
        read_nir(example)


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.nir"
    with pytest.raises(FormatError, match="No such file"):
        read_nir(path)
    path.write_bytes(b"not HDF5")
    with pytest.raises(FormatError, match="not an HDF5 file"):
        read_nir(path)
    nir.write(path, nir.NIRGraph.from_list(nir.Linear(np.eye(2))))
    with pytest.raises(FormatError, match="arlif import"):
        read_nir(path)
    with h5py.File(path, "w"):
        pass
    with pytest.raises(FormatError, match="missing"):
        read_nir(path)


def test_writing_fails_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArlifError, match="cannot write"):
        write_nir(example_network(), tmp_path / "file" / "network.nir")


def fuzz(example: Path, rounds: int) -> None:
    """Change, cut and splice bytes: the network itself or an ArlifError, nothing else."""
    rng = np.random.default_rng(rounds)
    whole = np.frombuffer(example.read_bytes(), np.uint8)
    for index in range(rounds):
        data = whole.copy()
        if index % 4 == 0:
            data = data[: rng.integers(len(data))]
        else:
            at = rng.integers(len(data), size=2 ** rng.integers(0, 9))
            data[at] = rng.integers(256, size=at.size)
        example.write_bytes(data.tobytes())
        try:
            read = read_nir(example)
        except ArlifError:
            continue
        assert read == example_network()


def test_mutated_files(example: Path) -> None:
    fuzz(example, 50)


@pytest.mark.slow
def test_a_thousand_mutated_files(example: Path) -> None:
    fuzz(example, 1000)


def test_mutated_files_without_a_seal(example: Path) -> None:
    assert refusals(example, read_nir, 5) > 0


@pytest.mark.slow
def test_a_thousand_mutated_files_without_a_seal(example: Path) -> None:
    assert refusals(example, read_nir, 1000) > 500


def test_the_first_lines_say_what_opens_the_file(tmp_path: Path) -> None:
    path = tmp_path / "network.nir"
    write_nir(example_network(), path)
    first = path.read_bytes()[:512].decode().rstrip("\0")
    assert first.count("\n") == 4
    assert "read_nir" in first
    assert "lif.nir" in first
    with pytest.raises(AssertionError):
        nir.read(path)
