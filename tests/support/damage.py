"""Files changed at random, for readers that must survive anything."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from arlif.base.errors import ArlifError
from arlif.base.seal import is_sealed


def refusals(path: Path, read: Callable[[Path], Any], rounds: int) -> int:
    """How often `read` raises ArlifError for the unsealed file with random bytes changed.

    Whatever else it raises passes through.
    """
    with h5py.File(path, "a"):
        pass
    assert not is_sealed(path)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(rounds)
    refused = 0
    for _ in range(rounds):
        data = whole.copy()
        at = rng.integers(len(data), size=2 ** rng.integers(4, 10))
        data[at] = rng.integers(256, size=at.size)
        path.write_bytes(data.tobytes())
        try:
            read(path)
        except ArlifError:
            refused += 1
    return refused
