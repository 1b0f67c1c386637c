"""ONNX files: integer graphs of quantized networks, float graphs of torch networks."""

from export.onnx.integer import write_onnx

__all__ = ["write_onnx"]
