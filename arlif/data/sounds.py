"""Recordings of spoken digits: wav files as published, or all of them packed into one file."""

import re
import wave
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError, require
from arlif.base.memory import enough_memory
from arlif.data.filter_bank import BANDS, RATE_HZ, encode
from arlif.data.numpy_files import read_npz
from arlif.data.recordings import Found, Recording, damaged

WAV_FOLDER = "recordings"
PACKED = "fsdd.npz"
TESTS = 5
"""The recordings 0 to 4 of every speaker and digit are the official test split."""

RIFF_HEADER = 12
"""Bytes before the first chunk of a wav file; a chunk is a name and a length of 4 bytes each, and
as many bytes, filled up to an even number."""

Samples = NDArray[np.int16]

_NAME = re.compile(r"(\d)_.+_(\d+)\.wav")
_ARRAYS = ("audio", "offsets", "digit", "recording")


def find_fsdd(folder: Path) -> Found:
    """Free Spoken Digit Dataset: fsdd.npz where it is there, else recordings/*.wav."""
    packed = folder / PACKED
    return _packed(packed) if packed.exists() else _wav_files(folder / WAV_FOLDER)


def encoded(recordings: Sequence[Recording], time_steps: int) -> NDArray[np.uint8]:
    """Values [M, time_steps, 1, 1, BANDS] of recordings of sound; see arlif.data.filter_bank.

    Raises ArlifError where a recording cannot be read, or all do not fit into memory.
    """
    with enough_memory("lower time_steps"):
        made = np.zeros((len(recordings), time_steps, 1, 1, BANDS), np.uint8)
        for number, recording in enumerate(recordings):
            made[number, :, 0, 0] = encode(recording.read(), time_steps)
    return made


def _wav_files(folder: Path) -> Found:
    train: list[Recording] = []
    test: list[Recording] = []
    for file in sorted(folder.glob("*.wav")):
        digit, number = _named(file)
        part = test if number < TESTS else train
        part.append(Recording(file, digit, partial(read_wav, file)))
    return train, test


def _named(file: Path) -> tuple[int, int]:
    """Digit and number of a recording, from its file's name."""
    named = _NAME.fullmatch(file.name)
    if named is None:
        raise ArlifError(
            f"{file}: a recording is called DIGIT_SPEAKER_NUMBER.wav, such as 7_jackson_32.wav; "
            "move it away if it is not of the dataset"
        )
    return int(named[1]), int(named[2])


def probe_wav(path: Path) -> None:
    """Raise ArlifError where a wav file's name or content is not that of a recording."""
    _named(path)
    read_wav(path)


def read_wav(path: Path) -> Samples:
    """The samples of a wav file: 8,000 a second, 16 bits, one channel. Raises ArlifError."""
    try:
        with wave.open(str(path), "rb") as file:
            form = (file.getframerate(), 8 * file.getsampwidth(), file.getnchannels())
            promised = file.getnframes()
            content = file.readframes(promised)
    except OSError:
        raise
    except Exception as error:  # whatever a header makes wave raise
        raise damaged(path, str(error) or "it ends within its header") from None
    require(
        form == (RATE_HZ, 16, 1),
        f"{path}: a recording has {RATE_HZ:,} samples a second of 16 bits in 1 channel, this one "
        f"{form[0]:,} of {form[1]} bits in {form[2]}; convert it",
    )
    if promised == 0 or len(content) != 2 * promised:
        raise damaged(path, f"it holds {len(content) // 2} of {promised} samples")
    _require_chunks(path)
    return np.frombuffer(content, "<i2").astype(np.int16)


def _require_chunks(path: Path) -> None:
    """Raise ArlifError where the chunks of a RIFF file do not end where the file does.

    Then a length is damaged, or bytes were lost or inserted.
    """
    size, at = path.stat().st_size, RIFF_HEADER
    with path.open("rb") as file:
        while at < size:
            file.seek(at + 4)
            length = int.from_bytes(file.read(4), "little")
            at += 8 + length + length % 2
    if at != size:
        raise damaged(path, f"its chunks end at byte {at} of {size}")


def _packed(path: Path) -> Found:
    audio, offsets, digit, number = read_packed(path)
    train: list[Recording] = []
    test: list[Recording] = []
    for n in range(digit.size):
        sound = audio[offsets[n] : offsets[n + 1]]
        part = test if number[n] < TESTS else train
        part.append(Recording(path, int(digit[n]), partial(np.asarray, sound)))
    return train, test


def read_packed(path: Path) -> tuple[Samples, NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Samples of all recordings, where each begins and ends, their digits and numbers.

    An npz file of audio int16 [L], offsets [M + 1], digit and recording [M]. Raises ArlifError.
    """
    arrays = _arrays(path)
    if missing := [name for name in _ARRAYS if name not in arrays]:
        raise damaged(path, f"it lacks {', '.join(missing)}")
    audio, offsets, digit, number = (arrays[name] for name in _ARRAYS)
    count = digit.size
    for name, array, shape in (
        ("audio", audio, (audio.size,)),
        ("offsets", offsets, (count + 1,)),
        ("digit", digit, (count,)),
        ("recording", number, (count,)),
    ):
        if array.shape != shape or not np.issubdtype(array.dtype, np.integer):
            raise damaged(
                path, f"{name} must be whole numbers {shape}, not {array.dtype} {array.shape}"
            )
    if audio.dtype != np.int16:
        raise damaged(path, f"audio must be int16, not {audio.dtype}")
    offsets = offsets.astype(np.int64)
    ends = count > 0 and offsets[0] == 0 and offsets[-1] == audio.size
    if not ends or np.diff(offsets).min() < 1:
        raise damaged(path, f"offsets must rise from 0 to {audio.size}, the samples there are")
    if not (digit.min() >= 0 and digit.max() <= 9 and number.min() >= 0):
        raise damaged(path, "a digit lies in 0 to 9, and no recording's number is negative")
    return audio, offsets, digit, number


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file that its dataset needs, as far as it holds them."""
    try:
        found = read_npz(path, _ARRAYS)
    except Exception as error:  # whatever an archive or a header makes numpy raise
        raise damaged(path, error) from None
    return {name: array for name, array in found.items() if array is not None}
