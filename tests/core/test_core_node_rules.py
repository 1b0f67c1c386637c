"""Every rule of maps and nodes, on both sides of its boundary."""

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from support.raw_neurons import cuba, lif_soft
from support.refusals import Rule

from arlif.base.errors import NetworkError
from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Conv2d, Dense, SumPool2d, exact_float
from arlif.core.network import INPUT, Input, Population, Projection, Readout

STATE = FixedPointFormat(8, 4)
"""From -128 to 127."""


def rule(name: str, make: Any, limit: Any, past: Any, *told: str) -> Rule:
    """`make` takes the limit and refuses what lies past it."""
    return Rule(name, partial(make, limit), partial(make, past), told, NetworkError)


def conv(kernel: tuple[int, ...] = (2, 1, 3, 3), **geometry: Any) -> Conv2d:
    return Conv2d(np.ones(kernel, np.int8), **geometry)


def source(
    low: int = -127,
    high: int = 127,
    scale: float = 1.0,
    shape: tuple[int, ...] = (3,),
    static: bool = True,
) -> Input:
    return Input(shape, scale, low, high, static)


def population(
    gain: Any = (1, 1), bias: Any = (0, 0), gain_shift: int = 0, shape: tuple[int, ...] = (2,)
) -> Population:
    neuron = lif_soft(STATE, 6, 64, 16)
    return Population("p", shape, neuron, np.array(gain), gain_shift, np.array(bias))


def with_neuron_bias(channels: int) -> Population:
    neuron = cuba(STATE, 6, 64, 64, 16, np.zeros(channels))
    return Population("p", (2,), neuron, np.ones(2), 0, np.zeros(2))


def pool(**geometry: Any) -> SumPool2d:
    return SumPool2d(**{"kernel": (2, 2), "stride": (1, 1)} | geometry)


MAPS = (
    rule("sums within float64", exact_float, 2**53 - 1, 2**53, "9007199254740992, past 2**53"),
    *(
        rule(
            f"{what} weights of {past}",
            lambda raw, make=make: make(raw),
            limit,
            past,
            f"{what} weights are integers in [-127, 127]",
            str(past),
        )
        for what, make in (
            ("dense", lambda raw: Dense(np.array([[0, raw]]))),
            ("convolution", lambda raw: Conv2d(np.full((1, 1, 1, 1), raw))),
        )
        for limit, past in ((-127, -128), (127, 128))
    ),
    rule("whole weights", Dense, np.ones((1, 2), int), np.ones((1, 2)), "integers", "float64"),
    rule("dense weights of 2 dimensions", Dense, [[1]], [1], "2 dimensions", "(1,)"),
    rule("some dense weights", Dense, [[1]], [[]], "not empty", "(1, 0)"),
    rule("convolution weights of 4", Conv2d, [[[[1]]]], [[[1]]], "4 dimensions", "(1, 1, 1)"),
    rule(
        "a dense map's inputs",
        Dense(np.ones((1, 6), int)).output_shape,
        (1, 2, 3),
        (7,),
        "6 inputs cannot take shape (7,)",
    ),
    *(
        rule(
            f"{make.__name__}'s {name}",
            lambda size, make=make, name=name: make(**{name: size}),
            (least, least),
            past,
            f"{name} must be two integers of at least {least}, not {past}",
        )
        for make, names in ((pool, ("kernel", "stride", "padding")), (conv, ("stride", "padding")))
        for name in names
        for least in (0 if name == "padding" else 1,)
        for past in ((least, least - 1), (least, least, least))
    ),
    rule("dilation", lambda d: conv(dilation=d), (1, 1), (0, 1), "at least 1, not (0, 1)"),
    rule("a window over images", pool().output_shape, (1, 2, 2), (4,), "(C, H, W), not (4,)"),
    rule("a window that fits", pool().output_shape, (1, 2, 2), (1, 2, 1), "(1, 2, 1)", "not fit"),
    rule(
        "a dilated window that fits",
        conv(dilation=(1, 3), padding=(1, 0)).output_shape,
        (1, 1, 7),
        (1, 1, 6),
        "does not fit",
        "(1, 1, 6)",
    ),
    rule("groups", lambda g: conv((6, 1, 1, 1), groups=g), 3, 4, "6 output channels, not 4"),
    rule("a group at all", lambda g: conv(groups=g), 1, 0, "2 output channels, not 0"),
    rule(
        "a convolution's channels",
        conv((4, 3, 1, 1), groups=2).output_shape,
        (6, 1, 1),
        (3, 1, 1),
        "6 input channels cannot take shape (3, 1, 1)",
    ),
)

NODES = (
    rule("inputs of -127", source, -127, -128, "[-127, 127] and contains 0", "[-128, 127]"),
    rule("inputs of 127", partial(source, 0), 127, 128, "[-127, 127]", "[0, 128]"),
    rule("0 above the lowest input", source, 0, 1, "contains 0", "[1, 127]"),
    rule("0 below the highest input", partial(source, -9), 0, -1, "contains 0", "[-9, -1]"),
    rule("two inputs", partial(source, 0), 1, 0, "contains 0", "[0, 0]"),
    rule("an input scale", lambda s: source(scale=s), 5e-324, 0.0, "positive number, not 0.0"),
    rule("a finite scale", lambda s: source(scale=s), 1e300, math.inf, "positive number, not inf"),
    rule("an input shape", lambda s: source(shape=s), (1, 1, 1), (1, 0, 1), "not (1, 0, 1)"),
    rule("an image's shape", lambda s: source(shape=s), (2,), (2, 2), "(C, H, W)", "not (2, 2)"),
    rule("inputs of the shape", lambda s: source().encode(np.ones(s)), (5, 3), (5, 4), "(5, 4)"),
    rule("one frame", lambda s: source().encode(np.ones(s)), (5, 3), (1, 5, 3), "[N, ...]"),
    rule(
        "frames over time",
        lambda s: source(static=False).encode(np.ones(s)),
        (1, 5, 3),
        (5, 3),
        "[T, N, ...]",
        "(5, 3)",
    ),
    *(
        rule(
            f"a shift of {past}",
            lambda shift: Projection(INPUT, "p", (), shift),
            limit,
            past,
            "input -> p",
            f"0 to 24, not {past}",
        )
        for limit, past in ((0, -1), (24, 25))
    ),
    rule("a gain per channel", population, (1, 1), (1, 1, 1), "population p", "(2,)", "(3,)"),
    rule("a bias per channel", lambda b: population(bias=b), (0, 0), (0,), "(2,)", "(1,)"),
    rule("gains of 0", population, (0, 1), (-1, 1), "0 to 255", "-1 to 1"),
    rule("gains of 255", population, (255, 1), (256, 1), "0 to 255", "1 to 256"),
    rule("no gain shift", lambda n: population(gain_shift=n), 0, -1, "0 to 31", "shift -1"),
    rule("a gain shift of 31", lambda n: population(gain_shift=n), 31, 32, "0 to 31", "shift 32"),
    rule("a low bias", lambda b: population(bias=b), (-128, 0), (-129, 0), "-128 to 127", "-129"),
    rule("a high bias", lambda b: population(bias=b), (127, 0), (128, 0), "-128 to 127", "128"),
    rule("a population's shape", lambda s: population(shape=s), (2, 1, 1), (2, 1), "not (2, 1)"),
    rule("a bias that fits the neurons", with_neuron_bias, 2, 3, "(3,)", "neurons of shape (2,)"),
    rule("a readout's bias", Readout, [0], [[0]], "one bias per class", "(1, 1)"),
    rule("a class", Readout, [0], [], "one bias per class", "(0,)"),
    rule("a readout's scale", partial(Readout, [0]), 5e-324, 0.0, "positive number, not 0.0"),
    rule("a finite readout", partial(Readout, [0]), 1e300, math.nan, "positive number, not nan"),
)


@pytest.mark.parametrize("rule", [*MAPS, *NODES], ids=str)
def test_a_node_rule_holds_up_to_its_boundary(rule: Rule) -> None:
    rule.check()


def test_numbers_per_channel_are_kept_as_files_hold_them() -> None:
    """Whatever they came as: equal networks have equal fingerprints."""
    held, spread = population(), population(shape=(2, 3, 4)).per_neuron(np.array([5, 6]))
    assert (held.gain.dtype, held.bias.dtype) == (np.uint8, np.int32)
    assert Readout([1.0, 2.0]).bias.dtype == np.int32
    np.testing.assert_array_equal(spread, [[[5]], [[6]]])
