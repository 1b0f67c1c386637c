"""Damaged datasets: a check and a loading judge alike, and no damage escapes a digest."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support.judging import COUNTS, loading
from support.mutants_of_files import mutants
from support.small_datasets import EVENTS, WRITERS, nmnist

from arlif import data
from arlif.base.errors import ArlifError
from arlif.data import recordings, store
from arlif.data.own import OwnData
from arlif.data.recordings import OVERFLOW
from arlif.data.registry import DATASETS

EMPTY = "every class needs samples"
PUBLISHED = {"mnist", "cifar10"}
QUICK = sorted(WRITERS.keys() - PUBLISHED - {"tiny-imagenet", "shd"})
NAMES = (*QUICK, *(pytest.param(n, marks=pytest.mark.slow) for n in ("shd", "tiny-imagenet")))


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", NAMES)
def test_a_check_and_a_loading_judge_alike(tmp_path: Path, kind: str, count: int) -> None:
    """Where no digest is known, some damage is data; the check says that nothing was compared.

    So is another label. That a class has no samples now is said of the dataset, not of a file.
    """
    name, write = WRITERS[kind]
    path = write(tmp_path)
    content = path.read_bytes()
    assert not loading(name, tmp_path)
    for changed in mutants(content, count, seed=5):
        path.write_bytes(changed)
        states = data.check(name, tmp_path)
        wrong = [state.wrong for state in states if state.wrong]
        refused = loading(name, tmp_path)
        assert bool(wrong) == (bool(refused) and EMPTY not in refused), (wrong, refused)
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


def replaced(old: bytes, new: bytes) -> Callable[[Path], None]:
    """What puts bytes in place of others, which lie in a file once."""

    def damage(path: Path) -> None:
        content = path.read_bytes()
        assert content.count(old) == 1
        path.write_bytes(content.replace(old, new))

    return damage


def grown(at: int) -> Callable[[Path], None]:
    """What inserts 40 bytes: whole samples, events and rows, so that no length is odd."""

    def damage(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[:at] + bytes(40) + content[at:])

    return damage


def with_units(kind: Any) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with h5py.File(path, "a") as file:
            del file["spikes/units"]
            file["spikes/units"] = np.ones((20, EVENTS)).astype(kind)

    return damage


def nothing_stored(path: Path) -> None:
    """Labels without end that are read as zeros."""
    with h5py.File(path, "a") as file:
        del file["labels"]
        file.create_dataset("labels", (1 << 27,), np.int64, chunks=(1024,))


def named_elsewhere(path: Path) -> None:
    """The list of Tiny-ImageNet names an image that is there, but lies elsewhere."""
    annotations = path.parents[3] / "val" / "val_annotations.txt"
    annotations.write_text(annotations.read_text().replace("val_7.JPEG", str(path)))


def one_event_often(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5] * 40_000)


@pytest.mark.parametrize(
    ("kind", "damage", "why"),
    [
        ("dvs128-gesture", grown(800), r"it goes on behind the 1920 bytes that its header prom"),
        ("dvs128-gesture", replaced(b"(60, 4)", b"(59, 4)"), "it goes on behind the 1888 bytes"),
        ("dvs128-gesture", replaced(b"<f8", b"<f4"), "it goes on behind the 960 bytes"),
        ("fsdd, wav", grown(1001), r"its chunks end at byte \d+ of 4084"),
        ("fsdd, wav", replaced(b"data\xa0\x0f", b"data\x9e\x0f"), "its chunks end at byte"),
        ("cifar10-dvs", replaced(b"#!AER-DAT2.0", b"#!AER-DAT3.1"), "not begin with #!AER-DAT2.0"),
        ("cifar10-dvs", replaced(b"\n# text\r\n", b"\n% texts\n"), "an address has 16 bits"),
        ("shd", with_units(float), "units whole numbers, not float16, float64"),
        ("shd", with_units("S1"), r"units whole numbers, not float16, \|S1"),
        ("shd", nothing_stored, r"/labels of shape \(134217728,\) does not fit the 0 bytes"),
        ("tiny-imagenet", named_elsewhere, "must name an image and its class"),
        ("nmnist", one_event_often, "one pixel holds 40000 events of one polarity"),
    ],
)
def test_damage_that_the_form_of_a_file_shows_is_seen(
    tmp_path: Path, kind: str, damage: Callable[[Path], None], why: str
) -> None:
    """Without any digest: it would be other data, or an error of a library."""
    name, write = WRITERS[kind]
    damage(write(tmp_path))
    assert re.search(why, loading(name, tmp_path))
    (wrong,) = [state.wrong for state in data.check(name, tmp_path) if state.wrong]
    assert re.search(why, wrong)


@pytest.mark.parametrize("kind", ["nmnist", "cifar10-dvs", "dvs128-gesture", "shd"])
def test_frames_of_equal_duration_need_events_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Frames of equal counts read no times."""
    name, write = WRITERS[kind]
    write(tmp_path)
    data.load(name, tmp_path, 4, "time")
    events = recordings._events

    def swapped(t: Any, *others: Any) -> Any:
        return events(np.concatenate([t[:5], t[6:4:-1], t[7:]]), *others)

    monkeypatch.setattr(recordings, "_events", swapped)
    for file in (tmp_path / "frames").rglob("*.npy"):
        file.unlink()
    with pytest.raises(ArlifError, match=r"need events in the order of their times; cut it into"):
        data.load(name, tmp_path, 4, "time")
    assert not loading(name, tmp_path)


def test_marks_of_time_that_overflows_take_no_more_time_than_events(tmp_path: Path) -> None:
    """Each shifts all later times: Minutes where they are shifted once for each."""
    path = nmnist(tmp_path)
    marks = np.tile(np.array([0, OVERFLOW, 0, 0, 0], np.uint8), 2_000_000)
    path.write_bytes(marks.tobytes() + path.read_bytes())
    assert not loading("nmnist", tmp_path)


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


@pytest.mark.parametrize("kind", ["x.npy", "xy.npz", "fsdd.npz"])
@pytest.mark.parametrize(("old", "new"), [(b"6000, 4)", b"3000, 4)"), (b"<i8", b"<i4")])
def test_an_array_is_read_to_its_end(tmp_path: Path, kind: str, old: bytes, new: bytes) -> None:
    """A header that promises less than there is was changed.

    An archive's CRC-32 tells it, too, but only to who reads to the end.
    """
    path = tmp_path / "fsdd" / kind
    path.parent.mkdir()
    rows = np.arange(24_000).reshape(6000, 4)
    if kind == "x.npy":
        np.save(path, rows)
    elif kind == "xy.npz":
        np.savez(path, inputs=rows)
    else:
        np.savez(path, audio=np.zeros(9), offsets=rows, digit=[], recording=[])
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    said = loading("fsdd", tmp_path) if kind == "fsdd.npz" else ""
    if not said:
        with pytest.raises(ArlifError) as refused:
            OwnData(path).examples(3000)
        said = str(refused.value)
    assert "it goes on behind the 96000 bytes" in said
