"""File formats: NIR, Lava, ONNX."""
