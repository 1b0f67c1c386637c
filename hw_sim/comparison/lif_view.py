"""What plain LIF neurons, which other NIR tools read in lif.nir, change of a float network."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from arlif.base.cut import cut
from export.nir import load_plain
from hw_sim.engines.floating_point import simulate_float

AT_ONCE = 8
"""Samples whose traces are alive at once."""


def lif_view_changes(
    module: nn.Module, path: Path, real: Tensor, time_steps: int
) -> dict[str, float]:
    """By layer, the share of neuron-steps whose spike differs between a network and its lif.nir.

    module: the network that the file was written from. real: [1, N, *shape], a frame that is shown
    for `time_steps`, or [T, N, *shape]. Raises FormatError where the file cannot be read.
    """
    view = load_plain(path)
    wrong: dict[str, int] = {}
    places: dict[str, int] = {}
    for part in cut(real.shape[1], AT_ONCE):
        shown = real[:, part]
        samples = shown.shape[1]
        frames = shown.expand(time_steps, *shown.shape[1:]) if view.static else shown
        want = simulate_float(module, shown, samples).traces
        got = simulate_float(view.module, frames, samples).traces
        for name, trace in want.items():
            other = got[_named(name, got)].spikes.reshape(trace.spikes.shape)
            wrong[name] = wrong.get(name, 0) + int(np.count_nonzero(other != trace.spikes))
            places[name] = places.get(name, 0) + trace.spikes.size
    return {name: wrong[name] / places[name] for name in wrong}


def _named(name: str, found: Iterable[str]) -> str:
    """How a layer is called in the file: in a loop behind the loop's name."""
    fitting = [other for other in found if other.rstrip("_").endswith(name.rstrip("_"))]
    return min(fitting, key=len)
