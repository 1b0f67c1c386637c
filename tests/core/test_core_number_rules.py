"""Every rule of formats and tables, on both sides of its boundary."""

import math

import numpy as np
import pytest
from support.refusals import Rule

from arlif.core.formats import FixedPointFormat, nearest_integer
from arlif.core.tables import LookupTable, TableDomain

STATE = FixedPointFormat(8, 4)


def sample(domain: TableDomain, frac_bits: int, bits: int = 20) -> LookupTable:
    return domain.sample(np.tanh, FixedPointFormat(bits, frac_bits), 16)


FORMATS = (
    Rule(
        "at least 4 bits",
        lambda: FixedPointFormat(4, 2),
        lambda: FixedPointFormat(3, 2),
        ("4 to 30 bits", "not 3"),
    ),
    Rule(
        "at most 30 bits",
        lambda: FixedPointFormat(30, 2),
        lambda: FixedPointFormat(31, 2),
        ("4 to 30 bits", "not 31"),
    ),
    Rule(
        "no negative fraction",
        lambda: FixedPointFormat(8, 0),
        lambda: FixedPointFormat(8, -1),
        ("between 0 and bits - 1 = 7", "not -1"),
    ),
    Rule(
        "a sign beside the fraction",
        lambda: FixedPointFormat(8, 7),
        lambda: FixedPointFormat(8, 8),
        ("between 0 and bits - 1 = 7", "not 8"),
    ),
    Rule(
        "no infinity",
        lambda: nearest_integer(1e300, -8, 7),
        lambda: nearest_integer(math.inf, -8, 7),
        ("only finite numbers", "infinity"),
    ),
    Rule(
        "no NaN",
        lambda: STATE.quantize([0.0, -1e300]),
        lambda: STATE.quantize([0.0, math.nan]),
        ("only finite numbers", "NaN"),
    ),
)

TABLES = (
    Rule(
        "one dimension",
        lambda: LookupTable(np.zeros(16), 0, 0),
        lambda: LookupTable(np.zeros((16, 1)), 0, 0),
        ("one dimension", "(16, 1)"),
    ),
    Rule(
        "at least 16 entries",
        lambda: LookupTable(np.zeros(16), 0, 0),
        lambda: LookupTable(np.zeros(8), 0, 0),
        ("16 to 1024 entries", "not 8"),
    ),
    Rule(
        "at most 1024 entries",
        lambda: LookupTable(np.zeros(1024), 0, 0),
        lambda: LookupTable(np.zeros(2048), 0, 0),
        ("16 to 1024 entries", "not 2048"),
    ),
    Rule(
        "a power of two",
        lambda: TableDomain(32),
        lambda: TableDomain(33),
        ("a power of two", "not 33"),
    ),
    Rule(
        "cells of one input",
        lambda: LookupTable(np.zeros(16), 0, 0),
        lambda: LookupTable(np.zeros(16), 0, -1),
        ("shift must be 0 to 24", "not -1"),
    ),
    Rule(
        "cells of 2**24 inputs",
        lambda: LookupTable(np.zeros(16), 0, 24),
        lambda: LookupTable(np.zeros(16), 0, 25),
        ("shift must be 0 to 24", "not 25"),
    ),
    Rule(
        "no cell below 31 bits",
        lambda: LookupTable(np.zeros(16), -(2**30), 0),
        lambda: LookupTable(np.zeros(16), -(2**30) - 1, 0),
        ("within [-2**30, 2**30)", "not -1073741825 to -1073741810"),
    ),
    Rule(
        "no cell above 31 bits",
        lambda: LookupTable(np.zeros(16), 2**30 - 16, 0),
        lambda: LookupTable(np.zeros(16), 2**30 - 15, 0),
        ("within [-2**30, 2**30)", "not 1073741809 to 1073741824"),
    ),
    Rule(
        "a domain of some width",
        lambda: TableDomain(16, 1.0, math.nextafter(1.0, 2.0)),
        lambda: TableDomain(16, 1.0, 1.0),
        ("from a number to a larger one", "not 1.0 to 1.0"),
    ),
    Rule(
        "a domain with a lower end",
        lambda: TableDomain(16, -1e300, 8.0),
        lambda: TableDomain(16, -math.inf, 8.0),
        ("from a number to a larger one", "not -inf to 8.0"),
    ),
    Rule(
        "a domain with an upper end",
        lambda: TableDomain(16, -8.0, 1e300),
        lambda: TableDomain(16, -8.0, math.inf),
        ("from a number to a larger one", "not -8.0 to inf"),
    ),
    Rule(
        "a domain of numbers",
        lambda: TableDomain(16, -8.0, 8.0),
        lambda: TableDomain(16, math.nan, 8.0),
        ("from a number to a larger one", "not nan to 8.0"),
    ),
    Rule(
        "cells of at least one raw input",
        lambda: sample(TableDomain(256, -8.0, 8.0), 4),
        lambda: sample(TableDomain(256, -8.0, 8.0), 3),
        ("2**n raw steps wide", "256 entries over [-8.0, 8.0)", "3 fractional bits gives 0.5"),
    ),
    Rule(
        "cells of a power of two",
        lambda: sample(TableDomain(256, -8.0, 8.0), 8),
        lambda: sample(TableDomain(256, -6.0, 6.0), 8),
        ("2**n raw steps wide", "[-6.0, 6.0)", "gives 12.0"),
    ),
    Rule(
        "a domain that starts on a raw input",
        lambda: sample(TableDomain(16, -7.5, 8.5), 1),
        lambda: sample(TableDomain(16, -7.5, 8.5), 0),
        ("2**n raw steps wide", "[-7.5, 8.5)", "0 fractional bits gives 1.0"),
    ),
)


@pytest.mark.parametrize("rule", [*FORMATS, *TABLES], ids=str)
def test_a_number_rule_holds_up_to_its_boundary(rule: Rule) -> None:
    rule.check()
