"""Damaged samples of a user's own."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from support.judging import COUNTS, LONGEST_S, worked
from support.mutants_of_files import mutants

from arlif.base.errors import ArlifError
from arlif.data.own import OwnData


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", ["x.npy", "xy.npz", "packed.npz"])
def test_damaged_samples_of_a_user_are_refused_or_real_numbers(
    tmp_path: Path, kind: str, count: int
) -> None:
    """Nobody has noted what they should be, so some damage is data: of that shape, and finite."""
    path = tmp_path / kind
    values = np.random.default_rng(0).random((4, 5, 2, 3))
    if kind == "x.npy":
        np.save(path, values)
    else:
        save = np.savez if kind == "xy.npz" else np.savez_compressed
        save(path, inputs=values, labels=np.arange(5))
    content = path.read_bytes()
    for changed in mutants(content, count, seed=7):
        path.write_bytes(changed)
        started = worked()
        with suppress(ArlifError):
            found = OwnData(path).load((2, 3), 4)
            assert found.real.shape[0] == 4
            assert np.isfinite(found.real).all()
        assert worked() - started < LONGEST_S
