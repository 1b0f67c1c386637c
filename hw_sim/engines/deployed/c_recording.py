"""What an exported C project did, from the order of its arrays to that of simulations."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.c.c_manifest import Manifest
from export.c.c_types import sides
from hw_sim.engines.simulation import Record, Simulation, Trace, count_type


def frames(manifest: Manifest, raw: NDArray[Any]) -> NDArray[np.int8]:
    """Raw inputs as the project takes them: [N, inputs] or [N, T, inputs], in H, W, C."""
    source = manifest.input.input()
    by_sample = np.moveaxis(raw, source.sample_axis, 0)
    lead = by_sample.shape[: by_sample.ndim - len(source.shape)]
    laid = np.moveaxis(by_sample.reshape(*lead, *sides(source.shape)), -3, -1)
    return np.ascontiguousarray(laid.reshape(*lead, -1), np.int8)


@dataclass(frozen=True)
class Recorded:
    """One sample. logits: int64 [classes]. counts: [neurons]. spikes: [T, neurons] or None.

    states: [T, values], where spikes are; a neuron's values lie side by side.
    """

    logits: NDArray[np.int64]
    counts: NDArray[np.integer]
    spikes: NDArray[np.uint8] | None = None
    states: NDArray[np.int32] | None = None


def simulation(
    manifest: Manifest, samples: Sequence[Recorded], time_steps: int, record: Record
) -> Simulation:
    """The simulation of samples, of which every one was traced where something is recorded."""
    counts: dict[str, NDArray[Any]] = {}
    traces: dict[str, Trace] = {}
    neuron = value = 0
    for population in manifest.populations:
        size, width = prod(population.shape), len(population.states)
        part = slice(neuron, neuron + size)
        counts[population.name] = _laid(
            np.stack([s.counts[part] for s in samples]), population.shape
        ).astype(count_type(time_steps))
        if population.name in record.layers:
            values = slice(value, value + size * width)
            spikes = np.stack([s.spikes[:, part] for s in samples if s.spikes is not None], 1)
            states = np.stack([s.states[:, values] for s in samples if s.states is not None], 1)
            by_state = states.reshape(*states.shape[:2], size, width)
            names = population.states if record.states else ()
            traces[population.name] = Trace(
                _laid(spikes.astype(bool), population.shape),
                {n: _laid(by_state[..., k], population.shape) for k, n in enumerate(names)},
            )
        neuron, value = neuron + size, value + size * width
    return Simulation(np.stack([s.logits for s in samples]), counts, traces)


def _laid(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """[*lead, H * W * C] as [*lead, *shape]."""
    lead = values.shape[:-1]
    channels, height, width = sides(shape)
    laid = np.moveaxis(values.reshape(*lead, height, width, channels), -1, -3)
    return np.ascontiguousarray(laid.reshape(*lead, *shape))
