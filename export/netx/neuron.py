"""The CUBA neuron of a .net file."""

from arlif.core.formats import FixedPointFormat
from arlif.core.neurons import IntegerCuba
from export.netx.group import Group
from export.netx.weights import Weights

STATE = FixedPointFormat(25, 6)
"""Loihi's 24-bit registers and +2**23; synaptic sums, biases and thresholds enter 6 bits up."""

LIMIT = (1 << 23) - 1
"""The largest membrane potential, so that a threshold above it never fires."""

FACTOR_BITS = 12
ONE = 1 << FACTOR_BITS

TYPES = ("LOIHI", "CUBA")
CONSTANTS = {"type", "iDecay", "vDecay", "vThMant"}
FIXED = {"refDelay": 1, "gradedSpike": 0, "wgtExp": 0}
"""What Lava's LIF cannot do otherwise: netx reads nothing else, whatever the file says."""

SURROGATE = {"scaleRho", "tauRho", "theta"}
"""Parameters of SLAYER's training, without meaning in a simulation."""


def read_neuron(group: Group, bias: Weights) -> IntegerCuba:
    """CUBA with Lava's constants; bias: mantissas, shaped as the population wants them."""
    kind = group.text("type")
    group.require(
        kind in TYPES,
        f"neurons of type {kind!r} are not supported; supported are {', '.join(TYPES)}",
    )
    group.only(CONSTANTS | FIXED.keys() | SURROGATE)
    for name, value in FIXED.items():
        if name in group.tree:
            group.integer(name, value, value)
    threshold = group.integer("vThMant", 0, (1 << 18) - 1) << STATE.frac_bits
    return IntegerCuba(
        STATE,
        FACTOR_BITS,
        decay=ONE - group.integer("vDecay", 0, ONE),
        current_decay=ONE - group.integer("iDecay", 0, ONE),
        threshold=min(threshold, LIMIT) + 1,
        bias=(bias << STATE.frac_bits).astype("int32"),
    )
