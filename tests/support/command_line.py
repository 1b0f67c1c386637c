"""The command line as tests call it; the fixture `cli` of conftest.py is a Cli."""

from collections.abc import Callable

import pytest

Cli = Callable[..., tuple[int, str, str]]
"""Runs `arlif` with these arguments: (exit code, standard output, standard error)."""


def exit_code(*arguments: object) -> int:
    """Run `arlif` with these arguments in this process."""
    from hw_sim.cli import main  # not before a test asks: it loads much

    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return int(stop.value.code or 0)
