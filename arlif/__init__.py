"""arlif: adaptive-reset spiking networks from PyTorch to neuromorphic hardware, bit for bit.

Importing arlif loads neither torch nor Lava; the public names below load what they need.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arlif.core.network import QuantizedNetwork
    from arlif.neurons import ARLIF, LIF

_HOMES = {
    "ARLIF": "arlif.neurons",
    "LIF": "arlif.neurons",
    "QuantizedNetwork": "arlif.core.network",
}

__version__ = "0.1.0"

__all__ = ["ARLIF", "LIF", "QuantizedNetwork"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'arlif' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
