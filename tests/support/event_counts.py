"""Synaptic operations counted independently of hw_sim.energy: by hand, and inside Lava."""

import subprocess
import sys
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.maps import Conv2d, Dense, LinearMap, Shape, SumPool2d, Window, chain_shape
from arlif.core.network import INPUT, READOUT, Input, Projection, QuantizedNetwork, Readout
from hw_sim.engines.lava import Models, simulate
from hw_sim.engines.simulation import Simulation
from support.strategies import Case


def sent_events(case: Case, simulation: Simulation, source: str) -> NDArray[np.bool_]:
    """What a node or an OR sends, step by step: [T, N, *shape]; a static image at every step."""
    if source in case.network.ors:
        pooled = case.network.ors[source]
        return any_under(pooled.window, sent_events(case, simulation, pooled.source))
    if source != INPUT:
        return simulation.traces[source].spikes
    static, steps = case.network.input.static, case.time_steps
    return (np.stack([case.inputs] * steps) if static else case.inputs) != 0


def any_under(window: Window, spikes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The OR over windows of [T, N, C, H, W], place by place."""
    found = np.zeros((*spikes.shape[:3], *window.output_size(spikes.shape[2:])), np.bool_)
    for row, column in np.ndindex(*found.shape[3:]):
        for a, b in np.ndindex(*window.kernel):
            y = row * window.stride[0] - window.padding[0] + a * window.dilation[0]
            x = column * window.stride[1] - window.padding[1] + b * window.dilation[1]
            if 0 <= y < spikes.shape[3] and 0 <= x < spikes.shape[4]:
                found[..., row, column] |= spikes[..., y, x]
    return found


def lava_input_events(case: Case) -> NDArray[np.bool_]:
    """What our Source really sends inside Lava, sample after sample: [T, N, *shape]."""
    with TemporaryDirectory() as folder:
        given, sent = Path(folder, "in.npz"), Path(folder, "out.npy")
        source = case.network.input
        np.savez(given, inputs=case.inputs, static=source.static, time_steps=case.time_steps)
        command = [sys.executable, str(Path(__file__).with_name("lava_source.py")), given, sent]
        subprocess.run(command, check=True, timeout=120, capture_output=True)
        return np.load(sent) != 0


def brute_force_operations(
    network: QuantizedNetwork, projection: Projection, events: NDArray[np.bool_]
) -> list[int]:
    """Per sample, follow every path back from every accumulator to the events at its start."""
    shapes = [network.shape(projection.entering)]
    for linear in projection.maps:
        shapes.append(linear.output_shape(shapes[-1]))

    def arriving(frame: NDArray[np.bool_], stage: int, where: tuple[int, ...]) -> int:
        if stage == 0:
            return int(frame[where])
        sources = _inputs_of_output(projection.maps[stage - 1], shapes[stage - 1], where)
        return sum(arriving(frame, stage - 1, source) for source in sources)

    return [
        sum(
            arriving(frame[sample], len(projection.maps), where)
            for frame in events
            for where in np.ndindex(*shapes[-1])
        )
        for sample in range(events.shape[1])
    ]


def lava_operations(
    network: QuantizedNetwork, projections: list[Projection], events: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Per sample [N] and projection that one thing enters, the events that arrive inside Lava.

    Lava's own processes run the projections' geometry with every weight 1, so that each one adds 1
    per event that arrives; a last dense layer adds them up, one row per projection.
    """
    shape = network.shape(projections[0].entering)
    counting = []
    for row, projection in enumerate(projections):
        maps = tuple(_ones(linear) for linear in projection.maps)
        total = np.zeros((len(projections), int(np.prod(chain_shape(maps, shape)))), np.int8)
        total[row] = 1
        counting.append(Projection(INPUT, READOUT, (*maps, Dense(total))))
    counter = QuantizedNetwork(
        Input(shape, 1.0, 0, 1, static=False),
        (),
        tuple(counting),
        Readout(np.zeros(len(projections), np.int32)),
        len(events),
    )
    return simulate(counter, events.astype(np.int8), len(events), models=Models.STOCK).readout


def arrivals_in_lava(
    case: Case, lava: Simulation
) -> list[tuple[Projection, NDArray[np.bool_], list[int]]]:
    """By projection: what entered it in Lava, and per sample the events that arrived there."""
    network, found = case.network, []
    sent = {INPUT: lava_input_events(case)}
    sent |= {p.name: sent_events(case, lava, p.name) for p in network.populations}
    for name, pooled in network.ors.items():
        sent[name] = any_under(pooled.window, sent[pooled.source])
        assert np.array_equal(lava.counts[name], sent[name].sum(0))
    for name, events in sent.items():
        leaving = [p for p in network.projections if p.entering == name]
        arrived = lava_operations(network, leaving, events) if leaving else np.zeros((1, 0))
        found += [(p, events, arrived[:, column].tolist()) for column, p in enumerate(leaving)]
    return found


def _ones(linear: LinearMap) -> LinearMap:
    """A map of the same geometry that adds one per event."""
    if isinstance(linear, Dense):
        return Dense(np.ones_like(linear.weight))
    if isinstance(linear, Conv2d):
        weight = np.ones_like(linear.weight)
        return Conv2d(weight, linear.stride, linear.padding, linear.dilation, linear.groups)
    return linear


def _inputs_of_output(linear: Any, shape: Shape, where: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The input positions that one output sums up, from the definition of the map."""
    if isinstance(linear, Dense):
        return list(np.ndindex(*shape))
    channel, row, column = where
    if isinstance(linear, SumPool2d):
        channels, dilation = range(channel, channel + 1), (1, 1)
    else:
        per_group = linear.weight.shape[1]
        group = channel // (linear.weight.shape[0] // linear.groups)
        channels = range(group * per_group, (group + 1) * per_group)
        dilation = linear.dilation
    found: list[tuple[int, ...]] = []
    for a, b in product(range(linear.window.kernel[0]), range(linear.window.kernel[1])):
        y = row * linear.stride[0] - linear.padding[0] + a * dilation[0]
        x = column * linear.stride[1] - linear.padding[1] + b * dilation[1]
        if 0 <= y < shape[1] and 0 <= x < shape[2]:
            found += [(c, y, x) for c in channels]
    return found
