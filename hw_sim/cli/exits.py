"""The exit codes of all verbs; 0 is good."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Why a verb ended otherwise."""

    FOUND = 1
    """It did its work and found a mismatch, or what cannot become integers."""
    BAD_INPUT = 2
    """Wrong usage, or a file, a dataset or Lava that is missing or damaged."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count it."""
    TERMINATED = 143
    """SIGTERM, as of `kill` and `timeout`."""
