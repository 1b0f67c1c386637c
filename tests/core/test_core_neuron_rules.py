"""Every rule of integer neurons, on both sides of its boundary."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from support.raw_neurons import arlif, cuba, lif_hard, lif_soft, lif_subtract
from support.refusals import Rule

from arlif.base.errors import NetworkError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron, Numbers
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import RealClif, RealLifSoft
from arlif.core.tables import LookupTable

STATE = FixedPointFormat(8, 4)
"""From -128 to 127."""

ONE = 1 << 6
"""1.0 in factors of 6 bits."""


def table(first: int = 0, last: int = 0) -> LookupTable:
    return LookupTable(np.array([first, *[0] * 14, last]), -32, 2)


def arlif_with(decay: int = ONE, **tables: LookupTable) -> IntegerNeuron:
    held = dict.fromkeys(("threshold", "gate", "drive", "reset"), table()) | tables
    return arlif(STATE, 6, decay, **held)


def cuba_with(threshold: int = 16, bias: Any = (0, 0)) -> IntegerNeuron:
    return cuba(STATE, 6, ONE, ONE, threshold, np.array(bias))


def subtract(threshold: int, amount: int, hold: int) -> IntegerNeuron:
    return lif_subtract(STATE, 6, ONE, threshold, amount, hold)


def shaped(bias: Any, shape: tuple[int, ...]) -> None:
    cuba_with(bias=bias).require_shape(shape)


def sampled_clif(**tables: LookupTable) -> IntegerNeuron:
    raw, state = {"decay": 8, "threshold": 2}, FixedPointFormat(4, 2)
    held = {"gate": table(), "reset": table()} | tables
    return IntegerNeuron.of(RealClif, state, 6, raw, held)


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
            f"a {what} of at most 16 bits, {sign}",
            partial(make, sign << 16),
            partial(make, (sign << 16) + sign),
            (f"{what} of ", "outside -65536 to 65536", str((sign << 16) + sign), "fewer factor"),
            NetworkError,
        )
        for what, make in (
            ("decay", lambda raw: lif_soft(FixedPointFormat(4, 2), 6, raw, 1)),
            ("table gate", lambda raw: sampled_clif(gate=table(raw))),
        )
        for sign in (1, -1)
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
                f"{name} of ",
                f"{min(past, 0)} to {max(past, 0)}" if "table" in name else str(past),
                "outside the state format, -128 to 127; use a wider state format",
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
            f"table {name}", lambda raw, name=name: arlif_with(**{name: table(last=raw)})
        )
    ),
    *representable("threshold", lambda raw: lif_soft(STATE, 6, ONE, raw)),
    *representable("threshold", lambda raw: lif_hard(STATE, 6, ONE, raw)),
    *representable("threshold", lambda raw: subtract(raw, 0, 0)),
    *representable("amount", lambda raw: subtract(16, raw, 0)),
    *representable("threshold", lambda raw: cuba_with(threshold=raw)),
    *representable("bias", lambda raw: cuba_with(bias=[0, raw])),
    Rule(
        "an array per channel, for every channel",
        lambda: shaped([1, 2], (2,)),
        lambda: shaped([1, 2], (3,)),
        ("bias of shape (2,)", "neurons of shape (3,)", "one value, or (3,)"),
        NetworkError,
    ),
    Rule(
        "an array per channel, of the neurons' dimensions",
        lambda: shaped([[[1]], [[2]]], (2, 5, 4)),
        lambda: shaped([1, 2], (2, 5, 4)),
        ("bias of shape (2,)", "shape (2, 5, 4)", "or (2, 1, 1), or (2, 5, 4)"),
        NetworkError,
    ),
    Rule(
        "an array per neuron",
        lambda: shaped(np.ones((2, 5, 4), int), (2, 5, 4)),
        lambda: shaped(np.ones((2, 5, 1), int), (2, 5, 4)),
        ("bias of shape (2, 5, 1)",),
        NetworkError,
    ),
    Rule(
        "integers",
        lambda: lif_soft(STATE, 6, ONE, 16),
        lambda: lif_soft(STATE, 6, ONE, 16.0),
        ("raw constants are integers", "float64"),
        NetworkError,
    ),
    Rule(
        "some numbers",
        lambda: cuba_with(bias=[1]),
        lambda: cuba_with(bias=np.zeros(0, int)),
        ("raw constants are integers", "(0,)"),
        NetworkError,
    ),
    Rule(
        "all constants",
        lambda: IntegerNeuron.of(RealLifSoft, STATE, 6, {"decay": 1, "threshold": 1}),
        lambda: IntegerNeuron.of(RealLifSoft, STATE, 6, {"decay": 1}),
        ("no raw number for threshold",),
        NetworkError,
    ),
    Rule(
        "no other constants",
        lambda: IntegerNeuron.of(RealLifSoft, STATE, 6, {"decay": 1, "threshold": 1}),
        lambda: IntegerNeuron.of(RealLifSoft, STATE, 6, {"decay": 1, "threshold": 1, "tau": 1}),
        ("LifSoft has no tau",),
        NetworkError,
    ),
    Rule(
        "all tables",
        lambda: sampled_clif(),
        lambda: replace(sampled_clif(), tables={"gate": table()}),
        ("Clif reads 1, decay, gate, reset, threshold; it has 1, decay, gate, threshold",),
        NetworkError,
    ),
)


class Sums(Neuron):
    """A state of many parts, which one step adds before it saturates."""

    state = ("u",)
    parts: int = 1

    def step(self, ops: Any, state: Any, x: Any) -> Any:
        h = x
        for _ in range(self.parts - 1):
            h = h + x
        return ops.fire(h, 0), (ops.saturate(h),)


REGISTERS = Rule(
    "sums of 32 bits",
    lambda: IntegerNeuron.of(Sums(4), FixedPointFormat(30, 8), 8, {}),
    lambda: IntegerNeuron.of(Sums(5), FixedPointFormat(30, 8), 8, {}),
    ("Sums: ", "which leaves 32 bits", "ops.saturate around a sum of fewer parts"),
    NetworkError,
)


@pytest.mark.parametrize("rule", [*FACTORS, *CONSTANTS, REGISTERS], ids=str)
def test_a_neuron_rule_holds_up_to_its_boundary(rule: Rule) -> None:
    rule.check()
