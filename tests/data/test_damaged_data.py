"""Damaged datasets: a check and a loading judge alike, and no damage escapes a digest."""

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.mutants_of_files import mutants
from support.small_datasets import WRITERS, nmnist

from arlif import data
from arlif.base.errors import ArlifError
from arlif.data import store
from arlif.data.own import OwnData
from arlif.data.registry import DATASETS

LONGEST_S = 20.0
COUNTS = (pytest.param(4), pytest.param(300, marks=pytest.mark.slow))
PUBLISHED = {"mnist", "cifar10"}
QUICK = sorted(WRITERS.keys() - PUBLISHED - {"tiny-imagenet", "shd"})
NAMES = (*QUICK, *(pytest.param(n, marks=pytest.mark.slow) for n in ("shd", "tiny-imagenet")))


def loading(name: str, place: Path) -> str:
    """Why a dataset is not loaded; empty where it is."""
    started = time.monotonic()
    said = ""
    try:
        data.load(name, place, 4)
    except ArlifError as error:
        said = str(error)
    assert time.monotonic() - started < LONGEST_S
    assert "\n" not in said
    return said


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", NAMES)
def test_a_check_and_a_loading_judge_alike(tmp_path: Path, kind: str, count: int) -> None:
    """Where no digest is known, some damage is data; the check says that nothing was compared."""
    name, write = WRITERS[kind]
    path = write(tmp_path)
    content = path.read_bytes()
    assert not loading(name, tmp_path)
    for changed in mutants(content, count, seed=5):
        path.write_bytes(changed)
        states = data.check(name, tmp_path)
        wrong = [state.wrong for state in states if state.wrong]
        assert bool(wrong) == bool(loading(name, tmp_path)), wrong
        assert not any(state.verified for state in states)
    path.write_bytes(content)
    store.write_manifest(tmp_path / name)
    assert not loading(name, tmp_path)
    for changed in mutants(content, count, seed=6):
        path.write_bytes(changed)
        assert "differs from what was published" in loading(name, tmp_path)
        states = data.check(name, tmp_path)
        assert [state.file for state in states if state.wrong] == [
            str(path.relative_to(tmp_path / name))
        ]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_no_damage_escapes_a_published_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, count: int
) -> None:
    path = WRITERS[name][1](tmp_path)
    published = tuple(
        (file, store.checksum(path.parent / file)) for file, _ in DATASETS[name].required
    )
    monkeypatch.setitem(DATASETS, name, replace(DATASETS[name], required=published))
    assert not loading(name, tmp_path)
    for changed in mutants(path.read_bytes(), count, seed=8):
        path.write_bytes(changed)
        assert f"{path} differs from what was published (SHA-256" in loading(name, tmp_path)
        assert [s.file for s in data.check(name, tmp_path) if s.wrong] == [path.name]


def test_kept_frames_that_were_damaged_are_made_again(tmp_path: Path) -> None:
    nmnist(tmp_path)
    first = np.array(data.load("nmnist", tmp_path, 4).train.inputs)
    (kept,) = tmp_path.glob("frames/nmnist/train-*.npy")
    changed = bytearray(kept.read_bytes())
    changed[1000] ^= 1
    kept.write_bytes(changed)
    assert np.array_equal(data.load("nmnist", tmp_path, 4).train.inputs, first)


def test_a_noted_file_that_is_missing_is_missed_by_both(tmp_path: Path) -> None:
    path = nmnist(tmp_path)
    path.with_name("2.bin").write_bytes(path.read_bytes())
    store.write_manifest(tmp_path / "nmnist")
    path.unlink()
    assert [s.file for s in data.check("nmnist", tmp_path) if s.wrong] == ["Train/3/00001.bin"]
    assert "00001.bin is missing; get the dataset again" in loading("nmnist", tmp_path)


@pytest.mark.parametrize("name", ["../outside.bin", "/tmp/outside.bin", "Train/../../outside.bin"])
def test_a_manifest_names_nothing_outside_of_its_folder(tmp_path: Path, name: str) -> None:
    """Neither a check nor a loading looks at it, or touches it."""
    nmnist(tmp_path)
    outside = tmp_path / "outside.bin"
    outside.write_bytes(b"x")
    before = outside.stat()
    manifest = tmp_path / "nmnist" / "manifest.json"
    name = str(outside) if name.startswith("/") else name
    manifest.write_text(f'{{"{name}": {{"sha256": "0", "bytes": 1}}}}')
    (state,) = data.check("nmnist", tmp_path)
    assert state.wrong.startswith(f"names {name}, outside of")
    assert f"manifest.json names {name}" in loading("nmnist", tmp_path)
    assert outside.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize(
    "text",
    [
        '{"x": {"sha256": "0", "bytes": Infinity}}',
        "[" * 100_000,
        '{"x": 3}',
        '{"Train": {"sha256": "0", "bytes": 4096}}',
        f'{{"{"x" * 300}": {{"sha256": "0", "bytes": 1}}}}',
        '{"\\u0000": {"sha256": "0", "bytes": 1}}',
        '{"\\ud800": {"sha256": "0", "bytes": 1}}',
    ],
)
def test_a_manifest_that_means_nothing_is_refused_by_both(tmp_path: Path, text: str) -> None:
    nmnist(tmp_path)
    (tmp_path / "nmnist" / "manifest.json").write_text(text)
    assert [state for state in data.check("nmnist", tmp_path) if state.wrong]
    assert loading("nmnist", tmp_path)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", ["x.npy", "xy.npz", "packed.npz"])
def test_damaged_samples_of_a_user_are_refused_or_real_numbers(
    tmp_path: Path, kind: str, count: int
) -> None:
    """Nobody has noted what they should be, so some damage is data: of that shape, and finite."""
    path = tmp_path / kind
    values = np.random.default_rng(0).random((4, 5, 2, 3))
    if kind == "x.npy":
        np.save(path, values)
    else:
        save = np.savez if kind == "xy.npz" else np.savez_compressed
        save(path, inputs=values, labels=np.arange(5))
    content = path.read_bytes()
    for changed in mutants(content, count, seed=7):
        path.write_bytes(changed)
        started = time.monotonic()
        with suppress(ArlifError):
            found = OwnData(path).load((2, 3), 4)
            assert found.real.shape[0] == 4
            assert np.isfinite(found.real).all()
        assert time.monotonic() - started < LONGEST_S
