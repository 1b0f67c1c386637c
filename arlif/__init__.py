"""arlif: adaptive-reset spiking networks from PyTorch to neuromorphic hardware, bit for bit.

Importing arlif loads neither torch nor Lava; the public names below load what they need.
"""

from typing import TYPE_CHECKING

from arlif.base.lazy import lazily

if TYPE_CHECKING:
    from arlif.core.network import QuantizedNetwork
    from arlif.core.neuron import Neuron, constant, learned
    from arlif.neurons import ARLIF, LIF, NeuronLayer

__version__ = "0.1.0"

__all__ = ["ARLIF", "LIF", "Neuron", "NeuronLayer", "QuantizedNetwork", "constant", "learned"]

__getattr__ = lazily(
    __name__,
    {
        "ARLIF": "arlif.neurons",
        "LIF": "arlif.neurons",
        "Neuron": "arlif.core.neuron",
        "NeuronLayer": "arlif.neurons",
        "QuantizedNetwork": "arlif.core.network",
        "constant": "arlif.core.neuron",
        "learned": "arlif.core.neuron",
    },
)
