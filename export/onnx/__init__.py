"""ONNX files: integer graphs of quantized networks, float graphs of torch networks.

Importing this package does not load torch; export.onnx.real does.
"""

from export.onnx.integer import write_onnx

__all__ = ["write_onnx"]
