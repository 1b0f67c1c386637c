"""Every rule of integer neurons, on both sides of its boundary."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from support.integer_neurons import cuba, lif_hard, lif_soft, lif_subtract
from support.refusals import Rule

from arlif.base.errors import NetworkError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import Numbers
from arlif.core.tables import LookupTable

STATE = FixedPointFormat(8, 4)
"""From -128 to 127."""

ONE = 1 << 6
"""1.0 in factors of 6 bits."""


def table(first: int = 0, last: int = 0) -> LookupTable:
    return LookupTable(np.array([first, *[0] * 14, last]), -32, 2)


def arlif(decay: int = ONE, **tables: LookupTable) -> IntegerArlif:
    held = dict.fromkeys(("threshold", "gate", "drive", "reset"), table()) | tables
    return IntegerArlif(STATE, 6, decay, **held)


def cuba(current_decay: int = ONE, threshold: int = 16, bias: Any = (0, 0)) -> IntegerCuba:
    return cuba(STATE, 6, ONE, current_decay, threshold, np.array(bias))


def subtract(threshold: int, amount: int, hold: int) -> IntegerLifSubtract:
    return lif_subtract(STATE, 6, ONE, threshold, amount, hold)


FACTORS = (
    Rule(
        "factors of at least 1 bit",
        lambda: Numbers(factor_bits=1),
        lambda: Numbers(factor_bits=0),
        ("1 to 16 bits", "not 0"),
    ),
    Rule(
        "factors of at most 16 bits",
        lambda: Numbers(factor_bits=16),
        lambda: Numbers(factor_bits=17),
        ("1 to 16 bits", "not 17"),
    ),
    Rule(
        "a neuron's factors of at least 1 bit",
        lambda: lif_soft(STATE, 1, 0, 1),
        lambda: lif_soft(STATE, 0, 0, 1),
        ("1 to 16 bits", "not 0"),
        NetworkError,
    ),
    Rule(
        "a neuron's factors of at most 16 bits",
        lambda: lif_soft(STATE, 16, 0, 1),
        lambda: lif_soft(STATE, 17, 0, 1),
        ("1 to 16 bits", "not 17"),
        NetworkError,
    ),
    *(
        Rule(
            f"{what} of at {'most 1' if past > 0 else 'least 0'}",
            partial(make, limit),
            partial(make, past),
            (f"the {what} must be 0 to 2**factor_bits = {ONE}", f"not {past}"),
            NetworkError,
        )
        for what, make in (("decay", arlif), ("current decay", cuba))
        for limit, past in ((0, -1), (ONE, ONE + 1))
    ),
)


def representable(name: str, make: Any) -> tuple[Rule, ...]:
    """A constant lies in the state format."""
    return tuple(
        Rule(
            f"{name} {past}",
            partial(make, limit),
            partial(make, past),
            (
                f"{name} must lie in the state format, -128 to 127",
                str(past),
                "a wider state format",
            ),
            NetworkError,
        )
        for limit, past in ((-128, -129), (127, 128))
    )


CONSTANTS = (
    *(
        rule
        for name in ("threshold", "drive", "reset")
        for rule in representable(
            f"table {name}", lambda raw, name=name: arlif(**{name: table(last=raw)})
        )
    ),
    Rule(
        "gates of at least 0",
        lambda: arlif(gate=table(0)),
        lambda: arlif(gate=table(-1)),
        (f"gate values must be 0 to 2**factor_bits = {ONE}", "reach -1 to 0"),
        NetworkError,
    ),
    Rule(
        "gates of at most 1",
        lambda: arlif(gate=table(ONE)),
        lambda: arlif(gate=table(ONE + 1)),
        (f"gate values must be 0 to 2**factor_bits = {ONE}", "reach 0 to 65"),
        NetworkError,
    ),
    *representable("threshold", lambda raw: lif_soft(STATE, 6, ONE, raw)),
    *representable("threshold", lambda raw: lif_hard(STATE, 6, ONE, raw)),
    *representable("threshold", lambda raw: subtract(raw, 0, 0)),
    *representable("amount", lambda raw: subtract(16, raw, 0)),
    *representable("threshold + hold", lambda raw: subtract(16, 0, raw - 16)),
    *representable("threshold", lambda raw: cuba(threshold=raw)),
    *representable("bias", lambda raw: cuba(bias=[0, raw])),
    Rule(
        "a bias per channel",
        lambda: cuba(bias=[[[1]], [[2]]]),
        lambda: cuba(bias=[[[1, 2]], [[3, 4]]]),
        ("one value per channel, [features] or [C, 1, 1]", "not (2, 1, 2)"),
        NetworkError,
    ),
    Rule(
        "a bias of 1 or 3 dimensions",
        lambda: cuba(bias=[1]),
        lambda: cuba(bias=[[1]]),
        ("one value per channel", "not (1, 1)"),
        NetworkError,
    ),
    Rule(
        "a bias for every channel",
        lambda: cuba(bias=[1, 2]).require_shape((2,)),
        lambda: cuba(bias=[1, 2]).require_shape((3,)),
        ("bias of shape (2,)", "shape (3,)"),
        NetworkError,
    ),
    Rule(
        "a bias of the neurons' dimensions",
        lambda: cuba(bias=[[[1]], [[2]]]).require_shape((2, 5, 4)),
        lambda: cuba(bias=[1, 2]).require_shape((2, 5, 4)),
        ("bias of shape (2,)", "shape (2, 5, 4)"),
        NetworkError,
    ),
)


@pytest.mark.parametrize("rule", [*FACTORS, *CONSTANTS], ids=str)
def test_a_neuron_rule_holds_up_to_its_boundary(rule: Rule) -> None:
    rule.check()
