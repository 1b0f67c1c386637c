"""arlif: adaptive-reset spiking networks from PyTorch to neuromorphic hardware, bit for bit.

Importing arlif loads neither torch nor Lava; the public names below load what they need.
"""

from typing import TYPE_CHECKING

from arlif.base.lazy import lazily

if TYPE_CHECKING:
    from arlif.core.network import QuantizedNetwork
    from arlif.neurons import ARLIF, LIF

__version__ = "0.1.0"

__all__ = ["ARLIF", "LIF", "QuantizedNetwork"]

__getattr__ = lazily(
    __name__,
    {
        "ARLIF": "arlif.neurons",
        "LIF": "arlif.neurons",
        "QuantizedNetwork": "arlif.core.network",
    },
)
