"""Our .net files: equal after a round trip, refused when anything in them is not as written."""

import re
import shutil
from itertools import permutations

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.places import DOCS
from support.raw_neurons import lif_hard
from support.strategies import networks
from support.strategies_stock import stock_networks

from arlif.base.errors import ArlifError, FormatError
from arlif.base.seal import LENGTH, sealed_path
from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from export.lava import is_ours, read_net, write_net

DOCUMENT = DOCS / "formats.md"
ANY = st.one_of(networks(), stock_networks(), stock_networks(cuba=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("net")


def items(path):
    """Every group and dataset of a file by its path."""
    with h5py.File(path) as file:
        names = []
        file.visit(names.append)
        return {name: isinstance(file[name], h5py.Group) for name in names}


@settings(max_examples=40)
@given(ANY)
def test_a_network_survives_the_file(folder, network):
    write_net(network, folder / "a.net")
    assert is_ours(folder / "a.net")
    assert read_net(folder / "a.net") == network


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_projections_may_stand_in_any_order(tmp_path, order):
    """In a file each stands under its target; read back they stand as they were."""
    neuron = lif_hard(FixedPointFormat(), 8, 128, 256)
    names, ones = ("a", "b"), Dense(np.ones((2, 2), np.int8))
    populations = tuple(Population(n, (2,), neuron, np.ones(2), 0, np.zeros(2)) for n in names)
    pairs = [(INPUT, "a"), ("a", "b"), ("b", READOUT), (INPUT, READOUT)]
    projections = tuple(Projection(*pairs[index], (ones,)) for index in order)
    network = QuantizedNetwork(Input((2,), 1.0), populations, projections, Readout(np.zeros(2)), 4)
    write_net(network, tmp_path / "a.net")
    assert read_net(tmp_path / "a.net") == network


@settings(max_examples=10)
@given(ANY)
def test_files_hold_groups_and_datasets_only(folder, network):
    write_net(network, folder / "a.net")
    with h5py.File(folder / "a.net") as file:
        assert not file.attrs
        file.visititems(lambda name, item: pytest.fail(name) if item.attrs else None)


@settings(max_examples=15)
@given(ANY)
def test_every_key_is_documented(folder, network):
    write_net(network, folder / "a.net")
    text = DOCUMENT.read_text(encoding="utf-8")
    known = set(re.findall(r"^\| `(/[^`]+)`", text, re.M))
    for name, is_group in items(folder / "a.net").items():
        key = re.sub(r"(?<=/)(constants|tables)/[^/]+", r"\1/<name>", "/" + name)
        key = re.sub(r"(?<=/)\d+(?=/|$)", "<n>", key)
        if not is_group:
            assert key in known, key


@settings(max_examples=30)
@given(st.data(), networks(2))
def test_damage_is_refused(folder, data, network):
    """One bit turned over anywhere: the seal does not fit, or is gone."""
    write_net(network, folder / "a.net")
    content = bytearray((folder / "a.net").read_bytes())
    position = data.draw(st.integers(0, len(content) - 50))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "b.net").write_bytes(content)
    with pytest.raises(FormatError):
        read_net(folder / "b.net")


@settings(max_examples=60)
@given(st.data(), ANY)
def test_a_changed_entry_is_never_read_as_another_network(folder, data, network):
    write_net(network, folder / "a.net")
    name = data.draw(st.sampled_from(sorted(items(folder / "a.net"))))
    wrong = data.draw(
        st.sampled_from(
            ["", "Dense", -1, 2**40, 0.5, True, [[1, 2], [3, 4]], np.zeros((2, 0)), np.nan, None]
        )
    )
    with sealed_path(folder / "b.net") as temporary:
        shutil.copy(folder / "a.net", temporary)
        with h5py.File(temporary, "r+") as file:
            del file[name]
            if wrong is not None:
                file[name] = wrong
    try:
        got = read_net(folder / "b.net")
    except ArlifError:
        return
    assert got == network  # the entry was replaced by itself


@settings(max_examples=3)
@given(st.data(), networks(2))
def test_half_a_file_is_refused(folder, data, network):
    write_net(network, folder / "a.net")
    content = (folder / "a.net").read_bytes()
    whole = len(content) - LENGTH  # without a seal the file is read with care, but it is whole
    (folder / "b.net").write_bytes(content[: data.draw(st.integers(0, whole - 1))])
    with pytest.raises(FormatError):
        read_net(folder / "b.net")


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all" * 100])
def test_foreign_files_are_refused(tmp_path, content):
    (tmp_path / "a.net").write_bytes(content)
    with pytest.raises(FormatError):
        read_net(tmp_path / "a.net")
    with pytest.raises(FormatError):
        read_net(tmp_path / "missing.net")


def test_a_file_of_lava_dl_is_not_ours(tmp_path):
    with h5py.File(tmp_path / "a.net", "w") as file:
        file["layer/0/type"] = "input"
        file["layer/0/shape"] = [3]
    assert not is_ours(tmp_path / "a.net")
    with pytest.raises(FormatError, match="no group /arlif"):
        read_net(tmp_path / "a.net")


@settings(max_examples=1)
@given(networks(1))
def test_another_numerics_version_is_refused(folder, network):
    write_net(network, folder / "a.net")
    with sealed_path(folder / "b.net") as temporary:
        shutil.copy(folder / "a.net", temporary)
        with h5py.File(temporary, "r+") as file:
            file["arlif/numerics_version"][()] = 99
    with pytest.raises(FormatError, match="numerics version 99"):
        read_net(folder / "b.net")
