"""ONNX files: integer graphs of quantized networks, float graphs of torch networks.

Importing this package does not load torch; write_onnx_float does when it is asked for.
"""

from typing import TYPE_CHECKING

from arlif.base.lazy import lazily
from export.onnx.integer_graph import write_onnx

if TYPE_CHECKING:
    from export.onnx.float_graph import write_onnx_float

__all__ = ["write_onnx", "write_onnx_float"]

__getattr__ = lazily(__name__, {"write_onnx_float": "export.onnx.float_graph"})
