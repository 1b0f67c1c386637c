"""Weights as netx and Lava use them, and as our 8-bit projections hold them."""

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.int64]
Parts = list[tuple[NDArray[np.int8], int]]


def packed_without_loss(weight: Weights) -> bool:
    """Whether stock netx and Lava's fixed-point Dense multiply with these very weights.

    netx shifts a dense matrix up into Loihi's 8 bits and a sign, Lava clips and truncates it; what
    is lost there depends on the signs and the common power of two. All-zero matrices, which netx
    cannot pack, count as lossless.
    Source: lava-dl 0.6.0, lava.lib.dl.netx.utils.optimize_weight_bits; lava-nc 0.10.0,
    lava.utils.weightutils (determine_sign_mode, clip_weights, truncate_weights).
    """
    low, high = int(weight.min()), int(weight.max())
    if low == high == 0:
        return True
    both_signs = low < 0 <= high
    if low < -256 or high > (254 if both_signs else 255):
        return False
    room = [255 / high] if low >= 0 else [-256 / low] if high < 0 else [-128 / low]
    if both_signs and high > 0:
        room.append(127 / high)
    shift = int(np.floor(np.log2(min(room)))) + both_signs
    common = next(n for n in range(8, -1, -1) if not (weight % (1 << n)).any())
    signed = low < 0 < high
    cut = shift + common - both_signs + signed
    magnitude = weight << shift if low >= 0 or signed else -weight << shift
    clipped = np.clip(magnitude, -256 if signed else 0, 255)
    return shift >= 0 and cut >= 0 and np.array_equal((clipped >> cut) << cut, magnitude)


def eight_bit_parts(weight: Weights) -> Parts:
    """Weights in [-256, 255] as (int8 weights, shift) whose sum they are; one if that is exact."""
    if np.abs(weight).max() <= 127:
        return [(weight.astype(np.int8), 0)]
    half = np.clip(weight >> 1, -127, 127)
    rest = weight - 2 * half
    parts = [(half.astype(np.int8), 1), (rest.astype(np.int8), 0)]
    return parts if rest.any() else parts[:1]
