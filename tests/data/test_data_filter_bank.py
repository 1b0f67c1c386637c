"""The filter bank: whole numbers against Python's own, and against a filter bank in floats."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.places import SHARED
from support.strategies_neurons import rngs

from arlif.base.errors import ArlifError
from arlif.data.filter_bank import BANDS, HOP, RATE_HZ, WINDOW, encode, energies, levels, tables

TABLES = "0805099a3f1c03f8c5683fe8e68ac19eb271852553e2efbfbb25fbe7d15bb538"
SOME_RECORDINGS = "7d849a765b1408d173083903f3833998d9452328db397e5e8ea143c5d7bfa01c"
PACKED = SHARED / "data" / "fsdd" / "fsdd.npz"


def noise(rng, length, amplitude=32_000):
    return rng.integers(-amplitude, amplitude + 1, length).astype(np.int16)


def whole(frame):
    """E of one frame in Python's whole numbers, which have no limit."""
    waves, triangles = (table.astype(int).tolist() for table in tables())
    samples = frame.tolist()
    sums = [sum(x * row[k] for x, row in zip(samples, waves, strict=True)) for k in range(258)]
    floored = [value // 2**17 for value in sums]
    energy = [floored[k] ** 2 + floored[129 + k] ** 2 for k in range(129)]
    return [sum(e * row[b] for e, row in zip(energy, triangles, strict=True)) for b in range(BANDS)]


@settings(max_examples=10)
@given(rngs(), st.sampled_from([1, 30, 1000, 32_000]))
def test_energies_are_those_of_whole_numbers(rng, amplitude):
    frame = noise(rng, WINDOW, amplitude)
    want = whole(frame)
    assert energies(frame.astype(float)).astype(int).tolist() == want
    assert levels(np.array(want, float)).tolist() == [max(0, e.bit_length() - 18) for e in want]


def test_no_sum_leaves_the_numbers_that_float64_holds():
    """The largest that any samples can reach, though none reach all of them at once."""
    waves, triangles = tables()
    sums = 2**15 * np.abs(waves).sum(0).max()
    energy = 2 * (sums / 2**17) ** 2 * triangles.sum(0).max()
    assert sums < 2**53
    assert energy < 2**53
    assert levels(energy) < 2**8


def test_the_loudest_frames_stay_whole():
    waves, _ = tables()
    for k in (3, 40, 129 + 77):
        frame = np.where(waves[:, k] >= 0, 32_767, -32_768).astype(np.int16)
        assert energies(frame.astype(float)).astype(int).tolist() == whole(frame)


@settings(max_examples=20)
@given(rngs())
def test_values_are_near_a_filter_bank_in_floats(rng):
    """Everything anew: FFT, mel scale and logarithm, no tables; nothing rounded but the result."""
    frame = noise(rng, WINDOW, 20_000)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)
    power = np.abs(np.fft.rfft(frame * window)) ** 2 / 16

    def mel(hertz):
        return 2595 * np.log10(1 + hertz / 700)

    width = (mel(3800) - mel(100)) / (BANDS + 1)
    want = np.zeros(BANDS)
    for k, p in enumerate(power):
        for b in range(BANDS):
            left, top, right = (
                700 * (10 ** ((mel(100) + width * (b + i)) / 2595) - 1) for i in range(3)
            )
            f = k * RATE_HZ / WINDOW
            want[b] += p * 128 * max(0, min((f - left) / (top - left), (right - f) / (right - top)))
    got = levels(energies(frame.astype(float)))
    assert np.abs(got - (np.log2(want) + 1 - 18)).max() < 1.1


def sine(hertz, amplitude, length=4 * WINDOW):
    return np.rint(amplitude * np.sin(2 * np.pi * hertz * np.arange(length) / RATE_HZ)).astype("i2")


@pytest.mark.parametrize("hertz", [300, 1000, 2500])
def test_a_tone_is_loudest_in_its_band_and_two_steps_more_at_twice_the_amplitude(hertz):
    soft, loud = (encode(sine(hertz, amplitude), 3).astype(int) for amplitude in (4000, 8000))
    (top,) = set(loud.argmax(1))
    low, high = np.log10(1 + 100 / 700), np.log10(1 + 3800 / 700)
    center = 700 * (10 ** (low + (high - low) * (top + 1) / (BANDS + 1)) - 1)
    assert hertz == pytest.approx(center, rel=0.1)
    assert (loud - soft)[:, top].tolist() == [2, 2, 2]


def test_silence_and_the_faintest_sounds_are_zero():
    assert not encode(np.zeros(WINDOW, np.int16), 2).any()
    assert not encode(sine(1000, 2), 2).any()
    assert encode(sine(1000, 4), 2).any()


@settings(max_examples=20)
@given(rngs(), st.integers(0, 9), st.integers(0, 2500))
def test_a_step_hears_its_own_samples_only(rng, step, length):
    """So a device that reads samples as they come has said every step before the sound ends."""
    sound = noise(rng, length)
    got = encode(sound, 10)
    alone = np.zeros(WINDOW, np.int16)
    heard = sound[HOP * step : HOP * step + WINDOW]
    alone[: heard.size] = heard
    assert np.array_equal(encode(alone, 1)[0], got[step])


def test_a_short_sound_ends_in_silence_and_a_long_one_is_cut():
    sound = noise(np.random.default_rng(1), 20 * HOP)
    assert np.array_equal(encode(sound, 30)[:12], encode(sound, 12))
    assert not encode(sound, 30)[20:].any()
    assert encode(sound, 30)[:20].any(1).all()


@pytest.mark.parametrize(
    ("sound", "steps", "message"),
    [
        (np.zeros(9, np.int16), 0, "at least 1 time step, not 0"),
        (np.zeros(9), 1, r"int16 samples \[L\], not float64 \(9,\)"),
        (np.zeros((9, 2), np.int16), 1, r"not int16 \(9, 2\)"),
    ],
)
def test_what_is_no_sound_is_refused(sound, steps, message):
    with pytest.raises(ArlifError, match=message):
        encode(sound, steps)


def digest(*arrays):
    return hashlib.sha256(b"".join(array.astype("<i8").tobytes() for array in arrays)).hexdigest()


def test_the_tables_are_the_same_on_every_machine():
    """No entry lies so near to a half that another sine or logarithm would round it elsewhere."""
    assert digest(*tables()) == TABLES


@pytest.mark.skipif(not PACKED.exists(), reason="the recordings of spoken digits are not here")
def test_the_recordings_are_the_same_on_every_machine():
    with np.load(PACKED) as file:
        audio, offsets = file["audio"], file["offsets"]
    few = [encode(audio[offsets[n] : offsets[n + 1]], 32) for n in range(0, 3000, 50)]
    assert digest(*few) == SOME_RECORDINGS
