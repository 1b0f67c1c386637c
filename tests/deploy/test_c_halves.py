"""Two time steps share a word in the fused style: neither may touch the other."""

from pathlib import Path

import numpy as np
from support.c_projects import require_equal, simulated
from support.raw_neurons import lif_hard

from arlif.core.integer_neurons import PRESETS
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
from export.c import COptions, Style

SIZE, STEPS = 12, 7


def test_sums_of_either_sign_stay_apart(tmp_path: Path) -> None:
    """States that are the sums themselves: decay 0, a threshold that nothing reaches."""
    rng = np.random.default_rng(0)
    state = PRESETS["compact16"].state_format
    ones, none = np.ones(SIZE, np.uint8), np.zeros(SIZE, np.int32)
    sender = Population("a", (SIZE,), lif_hard(state, 8, 200, 90), ones, 0, none)
    reader = Population("b", (SIZE,), lif_hard(state, 8, 0, state.high), ones, 0, none)
    weights = rng.integers(-127, 128, (SIZE, SIZE)).astype(np.int8)
    weights[0], weights[1] = -127, 127
    network = QuantizedNetwork(
        Input((SIZE,), 1.0),
        (sender, reader),
        (
            Projection(INPUT, "a", ()),
            Projection("a", "b", (Dense(weights),)),
            Projection("b", READOUT, ()),
        ),
        Readout(np.zeros(SIZE, np.int32)),
        STEPS,
    )
    inputs = rng.integers(20, 120, (6, SIZE)).astype(np.int8)
    got = simulated(network, inputs, tmp_path, COptions(Style.FUSED, vectors=1))
    require_equal(network, inputs, got)
    sums = got.traces["b"].states["u"]
    assert (sums.min() < -500, sums.max() > 500) == (True, True)
