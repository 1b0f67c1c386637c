"""The CUBA neuron of a SLAYER file."""

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.loihi import ALIGNMENT, FACTOR_BITS, STATE, STATE_LIMIT
from arlif.core.real_neurons import RealCuba
from export.slayer.group import Group
from export.slayer.weights import Weights

FORMAT = FixedPointFormat(STATE.bits + 1, STATE.frac_bits)
"""Loihi's registers and +2**23, which its current may be."""

ONE = 1 << FACTOR_BITS

WIDEST_THRESHOLD = (1 << 18) - 1
"""What SLAYER writes for neurons that never fire (lava.lib.dl.slayer.block.base)."""

TYPES = ("LOIHI", "CUBA")
CONSTANTS = {"type", "iDecay", "vDecay", "vThMant"}
FIXED = {"refDelay": 1, "gradedSpike": 0, "wgtExp": 0}
"""What Lava's LIF cannot do otherwise: netx reads nothing else, whatever the file says."""

SURROGATE = {"scaleRho", "tauRho", "theta"}
"""Parameters of SLAYER's training, without meaning in a simulation."""


def read_neuron(group: Group, bias: Weights) -> IntegerNeuron:
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
    threshold = ALIGNMENT * group.integer("vThMant", 0, WIDEST_THRESHOLD)
    constants = {
        "decay": ONE - group.integer("vDecay", 0, ONE),
        "current_decay": ONE - group.integer("iDecay", 0, ONE),
        "threshold": min(threshold, STATE_LIMIT) + 1,
        "bias": (ALIGNMENT * bias).astype("int32"),
        "limit": STATE_LIMIT,
        "edge": STATE_LIMIT + 1,
    }
    return IntegerNeuron.of(RealCuba, FORMAT, FACTOR_BITS, constants)
