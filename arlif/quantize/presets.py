"""Number formats in words: a preset's name, or six numbers by slashes."""

import re
from collections.abc import Callable

import numpy as np
from torch import nn

from arlif.base.errors import ArlifError, require
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import PRESETS, Numbers
from arlif.core.maps import Shape
from arlif.core.network import Input, QuantizedNetwork
from arlif.core.tables import TableDomain
from arlif.quantize import Precision, check, linearize, quantize, quantize_for_stock_lava
from arlif.quantize.linearized import LinearizedNetwork

Quantizer = Callable[[LinearizedNetwork, Input, int], QuantizedNetwork]
"""The integer network of a linearized one, its input and T."""

STOCK_LAVA = "stock-lava"
"""The numbers that lava-dl's own netx runs: plain LIF with hard reset only."""
MEANING = "state bits/fraction/factor bits/table entries/from/to"
WHOLE, REAL = r"(\d{1,9})", r"(-?\d+(?:\.\d+)?)"
SPELLING = re.compile("/".join([*4 * [WHOLE], *2 * [REAL]]), re.ASCII)


def spell(numbers: Numbers) -> str:
    """Number formats as `read_numbers` reads them."""
    state, tables = numbers.state_format, numbers.tables
    low, high = (np.format_float_positional(end, trim="-") for end in (tables.low, tables.high))
    return f"{state.bits}/{state.frac_bits}/{numbers.factor_bits}/{tables.entries}/{low}/{high}"


def read_numbers(text: str) -> Numbers:
    """A preset other than stock-lava, or what `spell` wrote. Raises ArlifError on anything else."""
    if text in PRESETS:
        return PRESETS[text]
    found = SPELLING.fullmatch(text)
    require(
        found is not None,
        f"a preset is {', '.join(PRESETS)}, {STOCK_LAVA} or {MEANING}, such as "
        f"{spell(PRESETS['compact16'])}, not {text!r}",
    )
    assert found is not None
    bits, fraction, factor, entries = map(int, found.groups()[:4])
    low, high = map(float, found.groups()[4:])
    return Numbers(FixedPointFormat(bits, fraction), factor, TableDomain(entries, low, high))


def read_quantizer(preset: str, weight_bits: int) -> Quantizer:
    """What quantizes to a preset. Raises ArlifError where there is none or the bits do not fit."""
    if preset == STOCK_LAVA:
        require(weight_bits == 8, f"{STOCK_LAVA} takes 8-bit weights, not {weight_bits}-bit ones")
        return quantize_for_stock_lava
    precision = Precision(read_numbers(preset), weight_bits)
    return lambda linear, source, time_steps: quantize(linear, source, precision, time_steps)


def violations(
    module: nn.Module, input_shape: Shape, preset: str, weight_bits: int, time_steps: int
) -> tuple[LinearizedNetwork | None, tuple[str, ...]]:
    """arlif.quantize.check for a preset: the linearized network, or None and every reason."""
    if preset != STOCK_LAVA:
        precision = Precision(read_numbers(preset), weight_bits)
        return check(module, input_shape, precision, time_steps)
    quantizer = read_quantizer(preset, weight_bits)
    try:
        linear = linearize(module, input_shape)
        high = linear.highest
        source = Input(linear.input_shape, 1 / high, 0, high, linear.static)
        quantizer(linear, source, time_steps)
    except ArlifError as error:
        return None, (str(error),)
    return linear, ()
