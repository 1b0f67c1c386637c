"""Event recordings: frames against counting by hand, files in their published formats."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.places import SHARED

from arlif import data
from arlif.base.errors import ArlifError
from arlif.data.frames import frames
from arlif.data.recordings import CIFAR10_CLASSES, Recording, read_aedat2

NMNIST = SHARED / "data" / "nmnist-small"
KIND = np.dtype([("x", int), ("y", int), ("t", int), ("p", int)])


def recording(n, rng, width=6):
    events = np.zeros(n, KIND)
    events["x"], events["y"] = rng.integers(0, width, (2, n))
    events["p"] = rng.integers(0, 2, n)
    events["t"] = np.sort(rng.integers(0, 10_000, n))
    return events


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(0, 400), st.integers(0, 2**32 - 1))
def test_frames_of_equal_counts_count_every_event_of_their_part(steps, extra, seed):
    events = recording(steps + extra, np.random.default_rng(seed))
    got = frames([Recording(Path("one"), 3, lambda: events)], (2, 6, 6), steps, "count")
    want = np.zeros((steps, 2, 6, 6), int)
    each = len(events) // steps
    for step in range(steps):
        for event in events[step * each : (step + 1) * each]:
            want[step, event["p"], event["y"], event["x"]] += 1
    assert np.array_equal(got[0], want)


def test_frames_of_equal_duration_split_the_time():
    events = np.zeros(4, KIND)
    events["t"] = [0, 100, 900, 1000]
    got = frames([Recording(Path("one"), 0, lambda: events)], (2, 6, 6), 2, "time")
    assert got[0].sum((1, 2, 3)).tolist()[0] == 2


def test_a_recording_with_too_few_events_is_named():
    with pytest.raises(ArlifError, match="one holds 1 events, too few for 4 frames"):
        frames([Recording(Path("one"), 0, lambda: np.zeros(1, KIND))], (2, 6, 6), 4, "count")


def test_an_impossible_number_of_frames_is_refused_before_memory_is_taken_for_all():
    one = Recording(Path("one"), 0, lambda: np.zeros(9, KIND))
    with pytest.raises(ArlifError, match="one holds 9 events, too few for 65536 frames"):
        frames([one] * 10**6, (2, 128, 128), 65_536, "count")


def test_recordings_beyond_the_memory_are_one_clear_error():
    """Beyond the address space of 128 TiB, so that no system promises it."""
    one = Recording(Path("one"), 0, lambda: np.zeros(9, KIND))
    with pytest.raises(ArlifError, match=r"memory \(Unable to allocate .*\); lower time_steps"):
        frames([one] * 10**6, (2, 3240, 3240), 9, "count")


@pytest.mark.parametrize("times", [[0, 0, 0, 0], [0, 1, 2, 3], [9, 0, 0, 0]])
def test_a_recording_too_short_for_frames_of_equal_duration_is_named(times):
    events = np.zeros(4, KIND)
    events["t"] = times
    with pytest.raises(ArlifError, match=r"one lasts -?\d us, too short for 4 frames"):
        frames([Recording(Path("one"), 0, lambda: events)], (2, 6, 6), 4, "time")


def nmnist_bytes(x, y, p, t):
    return bytes([x, y, (p << 7) | (t >> 16), (t >> 8) & 255, t & 255])


def write_nmnist(place):
    """One recording of every digit in both splits."""
    events = [(3, 5, 1, 70_000)] * 5 + [(33, 0, 0, 70_001)] * 5
    for part in ("Train", "Test"):
        for digit in range(10):
            folder = place / "nmnist" / part / str(digit)
            folder.mkdir(parents=True)
            (folder / "00001.bin").write_bytes(b"".join(nmnist_bytes(*event) for event in events))


def test_nmnist_files_are_read_as_published(tmp_path):
    write_nmnist(tmp_path)
    nmnist = data.load("nmnist", tmp_path, time_steps=2)
    assert nmnist.train.labels.tolist() == list(range(10))
    assert np.argwhere(nmnist.train.inputs[7] == 5).tolist() == [[0, 1, 5, 3], [1, 0, 0, 33]]
    assert nmnist.train.inputs[7].sum() == 10
    assert nmnist.share == "10 of 60,000 / 10 of 10,000 recordings"
    assert data.count("nmnist", tmp_path) == (10, 10)


def test_a_class_without_recordings_is_refused(tmp_path):
    write_nmnist(tmp_path)
    (tmp_path / "nmnist" / "Test" / "3" / "00001.bin").rename(tmp_path / "away")
    wrong = {s.file: s.wrong for s in data.check("nmnist", tmp_path) if s.wrong}
    assert wrong == {"Test/3": "is empty"}
    assert data.count("nmnist", tmp_path) is None
    with pytest.raises(ArlifError, match=r"Test/3 missing.*arlif data get nmnist"):
        data.load("nmnist", tmp_path, time_steps=2)
    (tmp_path / "nmnist" / "Test" / "3" / "notes.txt").touch()
    with pytest.raises(ArlifError, match="test split: every class needs samples, but 3 "):
        data.load("nmnist", tmp_path, time_steps=2)


@pytest.mark.skipif(not NMNIST.exists(), reason="the N-MNIST recordings are not here")
def test_real_nmnist_recordings(tmp_path):
    (tmp_path / "nmnist").symlink_to(NMNIST)
    part = data.load("nmnist", tmp_path, time_steps=3)
    assert part.share == "1,000 of 60,000 / 100 of 10,000 recordings"
    assert np.bincount(part.train.labels).min() > 50
    per_frame = part.train.inputs.sum((2, 3, 4), dtype=np.int64)
    assert (np.ptp(per_frame, axis=1) <= 1).mean() > 0.9  # equal counts, but for the clip at 255
    x = part.info.network_input(torch.from_numpy(part.test.inputs[:4].copy()))
    assert x.shape == (3, 4, 2, 34, 34)


def aedat2_bytes(events):
    words = []
    for t, x, y, p in events:  # the inverse of the turned sensor
        words += [((127 - x) << 8) | ((127 - y) << 1) | (1 - p), t]
    return b"#!AER-DAT2.0\r\n# a comment\r\n" + np.array(words, ">u4").tobytes()


AEDAT = st.lists(
    st.tuples(*(st.integers(0, top) for top in (2**31, 127, 127, 1))), min_size=1, max_size=20
)


@given(AEDAT)
def test_aedat_files_are_read_as_published(tmp_path_factory, events):
    path = tmp_path_factory.mktemp("aedat") / "file.aedat"
    path.write_bytes(aedat2_bytes(events))
    got = read_aedat2(path)
    assert [tuple(int(e[k]) for k in ("t", "x", "y", "p")) for e in got] == events


def test_cifar10dvs_takes_the_first_tenth_for_tests_and_resizes(tmp_path):
    rng = np.random.default_rng(1)
    for name in CIFAR10_CLASSES:
        folder = tmp_path / "cifar10-dvs" / name
        folder.mkdir(parents=True)
        for number in range(10):
            events = np.stack([np.arange(8), *rng.integers(0, 128, (2, 8)), np.ones(8)], axis=1)
            path = folder / f"cifar10_{name}_{number}.aedat"
            path.write_bytes(aedat2_bytes(events.astype(int).tolist()))
    dvs = data.load("cifar10-dvs", tmp_path, time_steps=4)
    assert (len(dvs.train), len(dvs.test)) == (90, 10)
    x = dvs.info.network_input(torch.from_numpy(dvs.test.inputs[:3].copy()))
    assert x.shape == (4, 3, 2, 48, 48)
    raw = dvs.test.inputs[:3].astype(np.float32)
    assert x.mean().item() == pytest.approx(raw.mean(), rel=0.15)


def write_gesture(place):
    """One recording of every gesture in both splits; the folder of those for training."""
    for part in ("Test", "Train"):
        folder = place / "dvs128-gesture" / f"ibmGesture{part}" / "user01_led"
        folder.mkdir(parents=True)
        for label in range(11):
            np.save(folder / f"{label}.npy", np.array([[5, 7, 1, 3], [9, 127, 0, 4]], np.float32))
    return folder


def test_gesture_files_are_read_as_published(tmp_path):
    write_gesture(tmp_path)
    split = data.load("dvs128-gesture", tmp_path, time_steps=2).train
    assert sorted(split.labels.tolist()) == list(range(11))
    assert np.argwhere(split.inputs[0]).tolist() == [[0, 1, 7, 5], [1, 0, 127, 9]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([[-1, 7, 1, 3], [9, 5, 0, 4]], "x must lie in 0 to 127, but reaches -1 to 9"),
        ([[1, 128, 1, 3], [9, 5, 0, 4]], "y must lie in 0 to 127, but reaches 5 to 128"),
        ([[1, 7, 2, 3], [9, 5, 0, 4]], "p must lie in 0 to 1, but reaches 0 to 2"),
        ([[1, 7, 1, np.nan], [9, 5, 0, 4]], "values that no sensor gives"),
        ([[1, 7, 1, 1e300], [9, 5, 0, 4]], "values that no sensor gives"),
        ([[1, 7, 1], [9, 5, 0]], r"its shape is \(2, 3\)"),
        ([["a", "b", "c", "d"]], "must be real numbers, but they are <U1"),
        ([[1, 7, 1, 3], [9, 5, 0, 4 + 1j]], "must be real numbers, but they are complex128"),
        ([[1.5, 7, 1, 3], [9, 5, 0, 4]], "x, y and p must be whole numbers"),
    ],
)
def test_damaged_gesture_files_are_named(tmp_path, content, message):
    np.save(write_gesture(tmp_path) / "3.npy", np.array(content))
    with pytest.raises(ArlifError, match=r"3\.npy is damaged.*" + message):
        data.load("dvs128-gesture", tmp_path, time_steps=2)


def test_junk_among_the_recordings_is_named(tmp_path):
    folder = write_gesture(tmp_path)
    (folder / "3.npy").write_bytes(b"junk")
    with pytest.raises(ArlifError, match=r"3\.npy is damaged"):
        data.load("dvs128-gesture", tmp_path, time_steps=2)
    for name in ("notes", "11"):
        (folder / "3.npy").rename(folder / f"{name}.npy")
        with pytest.raises(ArlifError, match=rf"{name}\.npy: '{name}' must be the number of a cla"):
            data.load("dvs128-gesture", tmp_path, time_steps=2)
        (folder / f"{name}.npy").rename(folder / "3.npy")


def test_damaged_nmnist_files_are_named(tmp_path):
    write_nmnist(tmp_path)
    file = tmp_path / "nmnist" / "Train" / "4" / "00001.bin"
    for content in (b"", bytes(12)):
        file.write_bytes(content)
        with pytest.raises(ArlifError, match=r"4/00001\.bin is damaged \(\d+ bytes are not whole"):
            data.load("nmnist", tmp_path, time_steps=2)
    file.write_bytes(nmnist_bytes(34, 3, 1, 5) * 2)
    with pytest.raises(ArlifError, match=r"4/00001\.bin is damaged: x must lie in 0 to 33"):
        data.load("nmnist", tmp_path, time_steps=2)
    file.parent.rename(file.parents[1] / "four")
    file.parent.mkdir()
    file.touch()
    with pytest.raises(ArlifError, match="'four' must be the number of a class, 0 to 9"):
        data.load("nmnist", tmp_path, time_steps=2)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it does not begin with #!AER-DAT2.0"),
        (bytes(16), "it does not begin with #!AER-DAT2.0"),
        (b"#!AER-DAT2.0 no end", "0 bytes are not whole events of 8 bytes"),
        (b"#!AER-DAT2.0\n1234567", "7 bytes are not whole events of 8 bytes"),
        (b"#!AER-DAT2.0\n% Text!\n", "an address has 16 bits, one is 0x25205465"),
    ],
)
def test_damaged_aedat_files_are_named(tmp_path, content, why):
    (tmp_path / "one.aedat").write_bytes(content)
    with pytest.raises(ArlifError, match=rf"one\.aedat is damaged \({why}"):
        read_aedat2(tmp_path / "one.aedat")


def write_shd(folder, units=(3, 699), times=(0.1, 0.5), recordings=20, labels=range(20)[::-1]):
    """Twenty labels in both splits, and recordings that are all the same."""
    folder.mkdir(exist_ok=True)
    for part in ("train", "test"):
        with h5py.File(folder / f"shd_{part}.h5", "w") as file:
            spikes = file.create_group("spikes")
            for name, kind, values in (("times", "f4", times), ("units", "u2", units)):
                shape = (recordings,)
                stored = spikes.create_dataset(name, shape, h5py.vlen_dtype(np.dtype(kind)))
                for number in range(recordings):
                    stored[number] = np.array(values, kind)
            file["labels"] = np.array(labels)


def test_shd_files_are_read_as_published(tmp_path):
    folder = tmp_path / "shd"
    write_shd(folder)
    split = data.load("shd", tmp_path, time_steps=2, cut="count").train
    assert split.labels.tolist() == list(range(20))[::-1]
    assert np.argwhere(split.inputs[0]).tolist() == [[0, 0, 0, 3], [1, 0, 0, 699]]
    (folder / "shd_train.h5").write_bytes(b"broken")
    with pytest.raises(ArlifError, match=r"shd_train\.h5 is damaged"):
        data.load("shd", tmp_path, time_steps=2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"units": (3, 700)}, "x must lie in 0 to 699"),
        ({"units": (3,)}, "2 times and 1 units"),
        ({"times": (0.1, np.nan)}, "values that no sensor gives"),
        ({"recordings": 19}, "labels must be 19 whole numbers"),
        ({"labels": range(19)}, "labels must be 20 whole numbers from 0 to 19"),
        ({"labels": range(1, 21)}, "whole numbers from 0 to 19"),
        ({"labels": np.arange(20) / 2}, "whole numbers from 0 to 19"),
    ],
)
def test_damaged_shd_recordings_are_named(tmp_path, wrong, message):
    write_shd(tmp_path / "shd", **wrong)
    assert "shd_train.h5" in {s.file for s in data.check("shd", tmp_path) if s.wrong}
    with pytest.raises(ArlifError, match=r"shd_train\.h5 is damaged.*" + message):
        data.load("shd", tmp_path, time_steps=2)


def test_shd_times_that_are_no_list_are_named(tmp_path):
    write_shd(tmp_path / "shd")
    with h5py.File(tmp_path / "shd" / "shd_train.h5", "a") as file:
        del file["spikes/times"]
        file["spikes/times"] = np.zeros(20)
    with pytest.raises(ArlifError, match="recording 0 has 1 times and 2 units"):
        data.load("shd", tmp_path, time_steps=2)
