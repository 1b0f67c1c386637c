"""Sound in small whole numbers per time step: a filter bank that every machine computes alike.

A frame is WINDOW samples x_n; the next one starts HOP samples later. With the tables c, s (the
window's cosines and sines, in steps of 2^-15) and m (triangles over the bins k, in steps of 2^-7)

E_b = sum_k m_bk (floor(sum_n c_kn x_n / 2^17)^2 + floor(sum_n s_kn x_n / 2^17)^2)
v_b = max(0, bit_length(E_b) - QUIET)

so that a band twice as strong in energy (3 dB) is one step more. All numbers are whole and stay
below 2^53: float64 holds them exactly, in whatever order they are added. A frame needs no other
frame: nothing is learned from the recording, and no later sample is read.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require

RATE_HZ = 8000
WINDOW = 256
HOP = 200
BANDS = 32
LOW_HZ, HIGH_HZ = 100, 3800
QUIET = 18
"""Bits of an energy that counts as silence: a sine of amplitude 2 to 3 of 32,768."""

WINDOW_ONE, TRIANGLE_ONE, SHIFT = 1 << 15, 1 << 7, 17

Whole = NDArray[np.float64]
"""Whole numbers below 2^53."""


def encode(sound: NDArray[np.int16], time_steps: int) -> NDArray[np.uint8]:
    """The values [time_steps, BANDS], 0 to 32, of a sound of int16 samples [L] at RATE_HZ.

    Step t hears the samples HOP t to HOP t + WINDOW - 1. A sound that ends earlier is followed by
    zeros, of one that lasts longer the rest is not heard. Raises ArlifError.
    """
    require(time_steps >= 1, f"a sound has at least 1 time step, not {time_steps}")
    require(
        sound.dtype == np.int16 and sound.ndim == 1,
        f"a sound is int16 samples [L], not {sound.dtype} {sound.shape}",
    )
    heard = np.zeros(HOP * (time_steps - 1) + WINDOW)
    length = min(sound.size, heard.size)
    heard[:length] = sound[:length]
    frames = np.lib.stride_tricks.sliding_window_view(heard, WINDOW)[::HOP]
    return levels(energies(frames))


def energies(frames: Whole) -> Whole:
    """E [..., BANDS] of frames of whole numbers [..., WINDOW], -32,768 to 32,767."""
    waves, triangles = tables()
    bins = np.floor(frames @ waves / (1 << SHIFT)) ** 2
    real, imaginary = np.split(bins, 2, axis=-1)
    return (real + imaginary) @ triangles


def levels(energy: Whole) -> NDArray[np.uint8]:
    """v of energies E."""
    bits = np.frexp(energy)[1]  # of a whole number: how many bits it has
    return np.maximum(bits - QUIET, 0).astype(np.uint8)


@cache
def tables() -> tuple[Whole, Whole]:
    """Cosines and sines [WINDOW, 2 (WINDOW / 2 + 1)], and the bands' triangles [bins, BANDS].

    The window is a Hann window. The triangles' corners lie evenly on the mel scale,
    2595 log10(1 + f / 700), from LOW_HZ to HIGH_HZ; neighbours overlap by half.
    """
    n, bins = np.arange(WINDOW), np.arange(WINDOW // 2 + 1)
    hann = np.sin(np.pi * (n + 0.5) / WINDOW) ** 2
    turns = 2 * np.pi * (np.outer(n, bins) % WINDOW) / WINDOW
    waves = hann[:, None] * np.concatenate([np.cos(turns), np.sin(turns)], axis=1)
    low, high = (np.log10(1 + hertz / 700) for hertz in (LOW_HZ, HIGH_HZ))
    corners = 700 * (10 ** np.linspace(low, high, BANDS + 2) - 1)
    start, top, end = corners[:-2], corners[1:-1], corners[2:]
    hertz = (bins * RATE_HZ / WINDOW)[:, None]
    triangles = np.minimum((hertz - start) / (top - start), (end - hertz) / (end - top))
    return np.rint(WINDOW_ONE * waves), np.rint(TRIANGLE_ONE * np.maximum(triangles, 0))
