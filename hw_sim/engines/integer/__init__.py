"""The integer engine: the reference on numpy, and a fast one on torch that equals it."""
