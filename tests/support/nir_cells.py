"""Neurons of NIR with constants that differ, and whether a file's network is Euler steps of it."""

from pathlib import Path
from typing import Any

import nir
import numpy as np
import torch

from export.nir import load_nir
from support.nir_euler import Euler

DT = 1e-4
RNG = np.random.default_rng(3)
N = 6
"""Neurons."""


def restart() -> None:
    """The same random numbers from here on, whatever was drawn before: for every file and test."""
    RNG.bit_generator.state = np.random.default_rng(3).bit_generator.state


def between(low: float, high: float) -> Any:
    return RNG.uniform(low, high, N)


def full(value: float) -> Any:
    return np.full(N, value)


def weights(outputs: int, inputs: int, size: float = 8.0) -> nir.Affine:
    return nir.Affine(single(0, size, (outputs, inputs)), single(0, 1, outputs))


def single(*words: Any) -> Any:
    """Normal numbers, in float32 as tools write weights."""
    return RNG.normal(*words).astype(np.float32)


def lif(**changes: Any) -> nir.LIF:
    fields = {
        "tau": between(5e-4, 3e-3),
        "r": between(0.5, 2),
        "v_leak": between(-0.3, 0.3),
        "v_threshold": between(0.5, 1.5),
        "v_reset": between(-0.5, 0.3),
    }
    return nir.LIF(**fields | changes)


def one(kind: type, **fields: float) -> Any:
    return kind(**{name: full(value) for name, value in fields.items()})


def spikes(*shape: int) -> Any:
    rates = RNG.uniform(0.05, 0.7, (1, 8, *(1 for _ in shape)))
    return (RNG.random((120, 8, *shape)) < rates).astype(np.float32)


def assert_is_euler(path: Path, x: Any) -> None:
    """In float64, so that no potential rounds to the other side of a threshold."""
    want, sent = Euler(path, DT).run(x)
    with torch.no_grad():
        got = load_nir(path, DT).module.double()(torch.from_numpy(x).double()).numpy()
    assert any(np.mean(values > 0) > 0.005 for values in sent.values())
    assert np.allclose(got, want, rtol=1e-9, atol=1e-9)
