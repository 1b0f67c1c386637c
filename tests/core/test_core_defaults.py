"""What holds where nobody says it: files and other people's scripts rely on it."""

from dataclasses import MISSING, fields

import pytest

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import Numbers
from arlif.core.maps import Conv2d, SumPool2d, Window
from arlif.core.nodes import Input, Projection, Readout
from arlif.core.real_neurons import RealArlif, RealLifSubtract
from arlif.core.tables import TableDomain

ONE, NONE = (1, 1), (0, 0)
DEFAULTS = {
    FixedPointFormat: {"bits": 16, "frac_bits": 8},
    TableDomain: {"entries": 256, "low": -8.0, "high": 8.0},
    Numbers: {"state_format": FixedPointFormat(), "factor_bits": 8, "tables": TableDomain()},
    RealArlif: {
        "decay": 0.5,
        "v_threshold": 1.0,
        "alpha": 1.0,
        "beta": 0.0,
        "memory": True,
        "strict": False,
    },
    RealLifSubtract: {"decay": 0.5, "threshold": 1.0, "amount": 1.0, "hold": 0.0},
    Conv2d: {"stride": ONE, "padding": NONE, "dilation": ONE, "groups": 1},
    SumPool2d: {"padding": NONE},
    Window: {"stride": ONE, "padding": NONE, "dilation": ONE},
    Input: {"low": -127, "high": 127, "static": True},
    Projection: {"shift": 0, "delay": 0, "pools": ()},
    Readout: {"scale": 1.0, "reading": None, "name": "readout"},
}


@pytest.mark.parametrize("kind", DEFAULTS, ids=lambda kind: kind.__name__)
def test_defaults_stay(kind: type) -> None:
    found = {f.name: f.default for f in fields(kind) if f.default is not MISSING}
    assert found == DEFAULTS[kind]
