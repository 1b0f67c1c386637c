"""Every extreme that dense weights can have, through netx's packing and Lava's Dense.

Exits with the number of matrices that change, counted where at least one weight is positive.
"""

import itertools
import sys

import numpy as np

from hw_sim.engines.lava.hook import mend_lava

mend_lava()

from lava.lib.dl.netx.utils import optimize_weight_bits  # noqa: E402
from lava.utils.weightutils import (  # noqa: E402
    clip_weights,
    determine_sign_mode,
    truncate_weights,
)


def survives(weight: np.ndarray) -> bool:
    packed, bits, exponent, _ = optimize_weight_bits(weight)
    mode = determine_sign_mode(packed)
    held = truncate_weights(clip_weights(packed, mode, num_bits=8), mode, bits)
    used = held << exponent if exponent > 0 else held >> -exponent
    return np.array_equal(used, weight)


if __name__ == "__main__":
    sys.exit(
        sum(
            not survives(np.array([[high, low, other]]))
            for high, low in itertools.product(range(1, 128), range(-127, 128))
            for other in {0, 1, high // 2, low // 2}
            if low <= other <= high
        )
    )
