"""Random NIR graphs: floats are Euler steps, integers nearly, and plain NIR says them again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.nir_euler import Euler
from support.nir_import import one_step, simulated, take
from support.nir_random import LIVELY, STEPS, Drawn, random_graph, random_spikes

from export.nir import load_nir, write_nir_lif
from hw_sim.engines.floating_point import simulate_float


def layers(found: dict[str, Any], sent: dict[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Spikes of every layer, ours and Euler's."""
    for name, trace in found.items():
        want = next(v for n, v in sent.items() if name.endswith(n)) > 0
        yield name, (trace.spikes.reshape(want.shape), want)


def read(drawn: Drawn, seed: int) -> tuple[Any, torch.Tensor, dict[str, Any]]:
    """The network, inputs that nobody has seen, and what Euler steps of the file make of them."""
    x = random_spikes(seed + 10**6, drawn)
    _, sent = Euler(drawn.path, drawn.dt).run(x)
    network = load_nir(drawn.path, drawn.dt)
    return network, torch.from_numpy(x.reshape(*x.shape[:2], *network.input_shape)), sent


@pytest.mark.parametrize("seed", [4, 11, 16])
def test_random_graphs_go_out_again_and_mean_the_same(seed: int, tmp_path: Path) -> None:
    """Delays, loops, and constants that differ within a channel among them."""
    drawn = random_graph(seed, tmp_path / "a.nir")
    network, x, sent = read(drawn, seed)
    write_nir_lif(network.module, tmp_path / "b.nir", network.input_shape)
    for path, dt in ((drawn.path, drawn.dt), (tmp_path / "b.nir", None)):
        found = simulate_float(load_nir(path, dt).module, x, x.shape[1]).traces
        for _, (got, want) in layers(found, sent):
            assert np.mean(got != want) <= 1e-4  # float32 beside float64


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_integers_of_random_graphs_fire_as_euler_does(seed: int, tmp_path: Path) -> None:
    """In loops, where one spike moves all later ones, one step after a common float state."""
    drawn = random_graph(seed, tmp_path / "a.nir")
    _, x, sent = read(drawn, seed)
    taken = take(drawn.path, drawn.dt, STEPS)
    found = {
        name: (float(want.mean()), float(np.mean(got != want)))
        for name, (got, want) in layers(simulated(taken.integers, x.numpy()).traces, sent)
    }
    for rate, share in (one_step(taken, x.numpy()) if drawn.loops else found).values():
        assert share <= 0.005 or not LIVELY[0] <= rate <= LIVELY[1]
