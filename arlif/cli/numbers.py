"""Number formats on the command line: a preset's name, or six numbers by slashes."""

import re
from typing import TYPE_CHECKING

from arlif.errors import require

if TYPE_CHECKING:
    from arlif.core.neurons import Numbers

MEANING = "state bits/fraction/factor bits/table entries/from/to"
SPELLING = re.compile(r"(\d+)/(\d+)/(\d+)/(\d+)/(-?\d+(?:\.\d+)?)/(-?\d+(?:\.\d+)?)")


def spell(numbers: "Numbers") -> str:
    """Number formats as `read_numbers` reads them."""
    state, tables = numbers.state_format, numbers.tables
    return (
        f"{state.bits}/{state.frac_bits}/{numbers.factor_bits}/"
        f"{tables.entries}/{tables.low:g}/{tables.high:g}"
    )


def read_numbers(text: str) -> "Numbers":
    """A preset, or what `spell` wrote. Raises ArlifError on anything else."""
    from arlif.core.formats import FixedPointFormat
    from arlif.core.neurons import PRESETS, Numbers
    from arlif.core.tables import TableDomain

    if text in PRESETS:
        return PRESETS[text]
    found = SPELLING.fullmatch(text)
    require(
        found is not None,
        f"--preset takes {', '.join(PRESETS)} or {MEANING}, such as "
        f"{spell(PRESETS['compact16'])}, not {text!r}",
    )
    assert found is not None
    bits, fraction, factor, entries = map(int, found.groups()[:4])
    low, high = map(float, found.groups()[4:])
    return Numbers(FixedPointFormat(bits, fraction), factor, TableDomain(entries, low, high))
