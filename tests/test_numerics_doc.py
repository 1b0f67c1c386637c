"""docs/numerics.md is the specification: its tables run on the reference arithmetic."""

import re
from pathlib import Path

import numpy as np
import pytest

from arlif.core.formats import FixedPointFormat
from arlif.core.neurons import PRESETS
from arlif.core.ops import IntegerOps
from arlif.core.tables import LookupTable

TEXT = (Path(__file__).parents[1] / "docs" / "numerics.md").read_text(encoding="utf-8")
TABLE = LookupTable(np.arange(16), low=-32, shift=2)


def rows(name: str) -> list[tuple[int, ...]]:
    block = re.search(rf"<!-- table: {name} -->\n(.*?)\n\n", TEXT, re.DOTALL)
    assert block, f"docs/numerics.md has no table {name}"
    lines = block[1].splitlines()[2:]
    assert lines
    return [tuple(int(cell) for cell in line.strip("|").split("|")) for line in lines]


def ops(bits: int = 16) -> IntegerOps:
    return IntegerOps(FixedPointFormat(bits, bits // 2))


@pytest.mark.parametrize(("value", "factor", "factor_bits", "result"), rows("multiply"))
def test_multiply(value: int, factor: int, factor_bits: int, result: int) -> None:
    assert ops().multiply(value, factor, factor_bits) == result


@pytest.mark.parametrize(("bits", "value", "result"), rows("saturate"))
def test_saturate(bits: int, value: int, result: int) -> None:
    assert ops(bits).saturate(value) == result


@pytest.mark.parametrize(("h", "theta", "spike"), rows("fire"))
def test_fire(h: int, theta: int, spike: int) -> None:
    assert ops().fire(np.int32(h), np.int32(theta)) == spike


@pytest.mark.parametrize(("x", "result"), rows("lookup"))
def test_lookup(x: int, result: int) -> None:
    assert ops().lookup(TABLE, np.int32(x)) == result


def test_presets() -> None:
    for name, numbers in PRESETS.items():
        state = numbers.state_format
        assert (
            f"| `{name}` | {state.bits} bits, {state.frac_bits} fractional "
            f"| {numbers.factor_bits} fractional bits | {numbers.tables.entries} entries over "
            f"[{numbers.tables.low:.0f}, {numbers.tables.high:.0f}) |"
        ) in TEXT
