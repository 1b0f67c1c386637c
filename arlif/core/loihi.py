"""What the registers of Loihi's LIF hold, and so the numbers that arlif gives to stock Lava.

Source: lava-nc 0.10.0, lava.proc.lif.models.PyLifModelBitAcc; lava-dl 0.6.0 sets bias_exp to 6.
Lava's simulator takes wider thresholds and biases too, and files that others made may hold them.
"""

from arlif.core.formats import FixedPointFormat

STATE = FixedPointFormat(24, 6)
"""Current and membrane potential."""

STATE_LIMIT = STATE.high
"""The membrane potential saturates at +-STATE_LIMIT, the current wraps behind it."""

ALIGNMENT = STATE.one
"""Synaptic sums, thresholds and biases enter the state times this."""

FACTOR_BITS = 12
"""Decays count in 2**-12."""

THRESHOLD_LIMIT = (1 << 17) - 1
"""The largest threshold, in units of ALIGNMENT: 17 bits without a sign."""

BIAS_LOW, BIAS_HIGH = -(1 << 12), (1 << 12) - 1
"""Biases, in units of ALIGNMENT: 13 bits with the sign."""
