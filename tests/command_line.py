"""The command line as tests call it: the fixture `cli` of conftest.py is of this type."""

from collections.abc import Callable

Cli = Callable[..., tuple[int, str, str]]
"""Runs `arlif` with these arguments: (exit code, standard output, standard error)."""
