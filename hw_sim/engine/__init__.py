"""The integer engine: the reference on numpy."""
