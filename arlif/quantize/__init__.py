"""From a trained torch module to a QuantizedNetwork: linearize, then choose integers."""

from arlif.quantize.lowering import check, linearize
from arlif.quantize.qat import QatNetwork
from arlif.quantize.rounding import Precision, calibrate_input, quantize
from arlif.quantize.stock_lava import quantize_for_stock_lava

__all__ = [
    "Precision",
    "QatNetwork",
    "calibrate_input",
    "check",
    "linearize",
    "quantize",
    "quantize_for_stock_lava",
]
