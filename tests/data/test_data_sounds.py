"""Spoken digits: wav files as published, the packed file, and what is damaged."""

import wave

import numpy as np
import pytest
import torch
from support.places import SHARED

from arlif import data
from arlif.base.errors import ArlifError
from arlif.data.filter_bank import encode

PACKED = SHARED / "data" / "fsdd" / "fsdd.npz"
NUMBERS = (0, 4, 49, 5)
"""In the order of their files' names, in which they are stored in both forms."""


def sound(digit, number):
    """Samples that tell the digit and the number."""
    rng = np.random.default_rng((digit, number))
    return rng.integers(-900, 900, 500 + 40 * number).astype(np.int16)


def write_wav(path, samples, rate=8000, width=2, channels=1):
    with wave.open(str(path), "wb") as file:
        file.setframerate(rate)
        file.setsampwidth(width)
        file.setnchannels(channels)
        file.writeframes(samples.tobytes())


@pytest.fixture
def recordings(tmp_path):
    """Ten digits by one speaker, two recordings of each in both splits."""
    folder = tmp_path / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    for digit in range(10):
        for number in NUMBERS:
            write_wav(folder / f"{digit}_some_one_{number}.wav", sound(digit, number))
    return folder


def arrays():
    sounds = [sound(digit, number) for digit in range(10) for number in NUMBERS]
    ends = np.cumsum([0, *map(len, sounds)])
    return {
        "audio": np.concatenate(sounds),
        "offsets": ends,
        "digit": np.repeat(np.arange(10), 4).astype(np.uint8),
        "recording": np.tile(NUMBERS, 10).astype(np.uint8),
    }


@pytest.fixture
def packed(tmp_path):
    """The same recordings in one file."""
    (tmp_path / "fsdd").mkdir(exist_ok=True)
    np.savez_compressed(tmp_path / "fsdd" / "fsdd.npz", **arrays())
    return tmp_path / "fsdd" / "fsdd.npz"


@pytest.mark.parametrize("form", ["recordings", "packed"])
def test_recordings_are_split_by_their_number(form, request, tmp_path):
    request.getfixturevalue(form)
    fsdd = data.load("fsdd", tmp_path, time_steps=12)
    for split, numbers in ((fsdd.test, (0, 4)), (fsdd.train, (5, 49))):
        names = sorted((digit, str(number)) for digit in range(10) for number in numbers)
        want = [encode(sound(digit, int(number)), 12) for digit, number in names]
        assert np.array_equal(split.inputs[:, :, 0, 0], want)
        assert split.labels.tolist() == [digit for digit, _ in names]
        assert split.inputs.dtype == np.uint8
    assert fsdd.share == "20 of 2,700 / 20 of 300 recordings"
    assert data.count("fsdd", tmp_path) == (20, 20)
    assert all(not state.wrong for state in data.check("fsdd", tmp_path))
    x = fsdd.info.network_input(torch.from_numpy(np.array(fsdd.test.inputs[:3])))
    assert x.shape == (12, 3, 1, 1, 32)


def test_the_packed_file_is_read_where_both_are_there(recordings, packed, tmp_path):
    (recordings / "3_some_one_0.wav").write_bytes(b"junk")
    assert len(data.load("fsdd", tmp_path).test) == 20
    packed.unlink()
    with pytest.raises(ArlifError, match=r"3_some_one_0\.wav is damaged"):
        data.load("fsdd", tmp_path)


def test_recordings_that_are_not_there_are_for_the_user_to_bring(tmp_path):
    assert data.count("fsdd", tmp_path) is None
    for verb in (data.get, data.load):
        with pytest.raises(
            ArlifError, match=r"fsdd \(recordings missing\); put recordings/ of git"
        ):
            verb("fsdd", tmp_path)
    (tmp_path / "fsdd").mkdir()
    assert [state.wrong for state in data.check("fsdd", tmp_path)] == ["is missing"]


def test_get_leaves_what_the_user_brought(recordings, tmp_path):
    assert data.get("fsdd", tmp_path) == tmp_path / "fsdd"
    assert [path.name for path in (tmp_path / "fsdd").iterdir()] == ["recordings"]


def test_a_digit_that_is_missing_in_a_split_is_refused(recordings, tmp_path):
    for number in (5, 49):
        (recordings / f"7_some_one_{number}.wav").unlink()
    with pytest.raises(ArlifError, match="train split: every class needs samples, but 7 "):
        data.load("fsdd", tmp_path)


@pytest.mark.parametrize(
    "name", ["x_one_3.wav", "12_one_3.wav", "3_one.wav", "3__7.wav", "3_a_b.wav"]
)
def test_other_names_are_refused(name, recordings, tmp_path):
    write_wav(recordings / name, sound(1, 2))
    for use in (data.load, data.count):
        with pytest.raises(
            ArlifError, match=rf"{name}: a recording is called DIGIT_SPEAKER_NUMBER"
        ):
            use("fsdd", tmp_path)
    (wrong,) = [state for state in data.check("fsdd", tmp_path) if state.wrong]
    assert wrong.file == f"recordings/{name}"


SILENCE = np.zeros(80, np.int16)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(b""), "is damaged .it ends within its header"),
        (lambda path: path.write_bytes(b"some text, and more"), "is damaged .*RIFF"),
        (lambda path: path.write_bytes(path.read_bytes()[:40]), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:-3]), "holds 498 of 500 samples"),
        (lambda path: write_wav(path, SILENCE[:0]), "holds 0 of 0 samples"),
        (
            lambda path: write_wav(path, SILENCE, rate=16_000),
            "this one 16,000 of 16 bits in 1; con",
        ),
        (lambda path: write_wav(path, SILENCE, width=1), "this one 8,000 of 8 bits in 1; con"),
        (lambda path: write_wav(path, SILENCE, channels=2), "this one 8,000 of 16 bits in 2; con"),
    ],
)
def test_damaged_wav_files_are_named(write, message, recordings, tmp_path):
    file = recordings / "4_some_one_0.wav"
    write(file)
    with pytest.raises(ArlifError, match=r"4_some_one_0\.wav.*" + message):
        data.load("fsdd", tmp_path)
    (wrong,) = [state for state in data.check("fsdd", tmp_path) if state.wrong]
    assert wrong.file == "recordings/4_some_one_0.wav"


def changed(**changes):
    return lambda path: np.savez(path, **(arrays() | changes))


def without(name):
    return lambda path: np.savez(path, **{k: v for k, v in arrays().items() if k != name})


def saved(array):
    def write(path):
        with path.open("wb") as file:
            np.save(file, array)

    return write


def flip_in_the_middle(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(b""), "not a zip file"),
        (saved(np.zeros(3)), "not a zip file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-50]), "not a zip file"),
        (flip_in_the_middle, ""),
        (without("audio"), "it lacks audio"),
        (without("recording"), "it lacks recording"),
        (changed(audio=np.zeros(9)), r"audio must be whole numbers \(9,\), not float64 \(9,\)"),
        (changed(audio=np.zeros((9, 1), np.int16)), r"audio must be .* not int16 \(9, 1\)"),
        (changed(audio=arrays()["audio"].astype(int)), "audio must be int16, not int64"),
        (changed(digit=np.array(["3"] * 40)), "digit must be whole numbers .40,., not <U1"),
        (changed(digit=np.array([None] * 40)), "pickle"),
        (changed(digit=np.full(40, 10)), "a digit lies in 0 to 9"),
        (changed(recording=np.full(40, -1)), "no recording's number is negative"),
        (changed(recording=np.zeros(39, int)), r"recording must be whole numbers \(40,\)"),
        (changed(offsets=arrays()["offsets"] + 1), "offsets must rise from 0 to"),
        (changed(offsets=np.maximum(arrays()["offsets"], 1)), "offsets must rise from 0 to"),
        (changed(offsets=arrays()["offsets"][[0, 2, 1, *range(3, 41)]]), "offsets must rise"),
        (changed(audio=arrays()["audio"][:-1]), "offsets must rise from 0 to"),
    ],
)
def test_a_damaged_packed_file_is_named(write, message, packed, tmp_path):
    write(packed)
    with pytest.raises(ArlifError, match=rf"fsdd\.npz is damaged .*{message}"):
        data.load("fsdd", tmp_path)
    assert [s.file for s in data.check("fsdd", tmp_path) if s.wrong] == ["fsdd.npz"]


def test_a_packed_file_of_no_recording_is_refused(packed, tmp_path):
    nothing = {name: array[:0] for name, array in arrays().items()}
    np.savez(packed, **(nothing | {"offsets": np.zeros(1, int)}))
    with pytest.raises(ArlifError, match="offsets must rise from 0 to 0"):
        data.load("fsdd", tmp_path)


def test_too_many_time_steps_are_one_clear_error(recordings, tmp_path):
    with pytest.raises(ArlifError, match=r"memory.*lower time_steps"):
        data.load("fsdd", tmp_path, time_steps=10**15)
    with pytest.raises(ArlifError, match="at least 1 time step, not 0"):
        data.load("fsdd", tmp_path, time_steps=0)


@pytest.mark.skipif(not PACKED.exists(), reason="the recordings of spoken digits are not here")
def test_real_recordings(tmp_path):
    (tmp_path / "fsdd").symlink_to(PACKED.parent)
    fsdd = data.load("fsdd", tmp_path, time_steps=32)
    assert fsdd.share == "2,700 / 300 recordings"
    for split, each in ((fsdd.train, 270), (fsdd.test, 30)):
        assert np.bincount(split.labels).tolist() == [each] * 10
        assert split.inputs.shape[1:] == (32, 1, 1, 32)
        assert split.inputs.any((1, 2, 3, 4)).all()
        assert split.inputs.max() < 32
