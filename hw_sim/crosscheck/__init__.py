"""Checks the fixed-point network, engine against engine, while its float parent still trains."""
