"""The fast engine: the reference's results, layer by layer over many time steps, on torch.

Every layer runs over a block of time steps at once: one convolution for all frames, then one pass
of the neurons over time; layers of a loop run for as many steps as its shortest delay. Blocks are
cut so that memory depends neither on the number of samples nor on T.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arlif.base.cut import cut
from arlif.core.equality import fingerprint
from arlif.core.network import READOUT, Input, QuantizedNetwork
from arlif.kernels.integer_update import BLOCK_STEPS
from export.nir import read_nir
from hw_sim.engines.in_batches import over_work
from hw_sim.engines.integer.compiled_network import CompiledNetwork
from hw_sim.engines.integer.in_a_row import Chain, channels_first
from hw_sim.engines.integer.integer_options import IntegerOptions
from hw_sim.engines.integer.running import Layer, Run
from hw_sim.engines.simulation import (
    Record,
    Simulation,
    Trace,
    check_request,
    count_type,
)
from hw_sim.engines.work import Outcome, Work

BLOCK_ELEMENTS = 1 << 23
"""Accumulators of the largest layer that are alive at once: 16 MiB where 16 bits hold them."""
NEARBY = 1 << 20
"""Accumulators of the largest layer of a chain that a thread finds in its cache, and its spikes."""


def run(work: Work[IntegerOptions]) -> Outcome:
    """The network of a native .nir file."""
    network = read_nir(work.path)
    steps = 1 if work.options.stream else BLOCK_STEPS
    engine = FastEngine(network, work.options.device, block_steps=steps)
    simulation = over_work(engine, work, Record.everything(network))
    ways = [{"target": to, "source": by, **n} for (to, by), n in engine.ways().items()]
    return Outcome(
        simulation, fingerprint(network), network.input.clipped(work.real), {"ways": ways}
    )


def simulate(
    network: QuantizedNetwork,
    inputs: NDArray[Any],
    time_steps: int,
    record: Record = Record(),
    device: str = "cpu",
) -> Simulation:
    """Run raw inputs, [N, *shape] (static) or [T, N, *shape]. Raises ArlifError on a misfit.

    Equal to hw_sim.engines.integer.reference.simulate in every bit.
    """
    return FastEngine(network, device).simulate(inputs, time_steps, record)


class FastEngine:
    """A network compiled for a device; use it for many batches.

    block_elements, block_steps: bounds on accumulators alive at once and on time steps that a layer
    runs for at once; they change speed and memory, never a bit.
    """

    def __init__(
        self,
        network: QuantizedNetwork,
        device: str = "cpu",
        block_elements: int = BLOCK_ELEMENTS,
        block_steps: int = BLOCK_STEPS,
    ) -> None:
        self.network, self.compiled = network, CompiledNetwork(network, device)
        self.block_elements, self.block_steps = block_elements, block_steps
        self.largest = max((math.prod(p.shape) for p in network.populations), default=1)
        self.chains: dict[int, Chain | None] = {}

    @property
    def input(self) -> Input:
        """What it is fed with."""
        return self.network.input

    def simulate(
        self, inputs: NDArray[Any], time_steps: int, record: Record = Record()
    ) -> Simulation:
        """Run raw inputs, [N, *shape] (static) or [T, N, *shape]. Raises ArlifError on a misfit."""
        network = self.network
        check_request(network.input, self.compiled.sums, inputs, time_steps, record)
        raw = np.ascontiguousarray(inputs, np.int8)
        raw = raw[None] if network.input.static else raw
        frames = torch.from_numpy(raw)
        result = _Result.empty(network, frames.shape[1], time_steps, record)
        steps, samples = self._block(time_steps, frames.shape[1])
        chain = None if record.layers or steps < time_steps else self._chain(time_steps)
        if chain is not None:
            nearby = NEARBY * torch.get_num_threads() // (self.largest * time_steps)
            for chunk in cut(frames.shape[1], max(1, min(samples, nearby))):
                chain(raw[:, chunk], partial(result.take, chunk))
            return Simulation(result.readout, result.counts, result.traces)
        with torch.inference_mode():
            for chunk in cut(frames.shape[1], samples):
                given = frames[:, chunk].to(self.compiled.device)
                self._run(given, time_steps, steps, result, chunk)
        return Simulation(result.readout, result.counts, result.traces)

    def ways(self) -> dict[tuple[str, str], Counter[str]]:
        """How many frames so far took which way into a node's sums, by (node, source).

        "products", "tables" or "events"; connections that have one way only are left out.
        """
        compiled = self.compiled
        nodes = [*compiled.sums.items(), *((READOUT, s) for s in compiled.readouts.values())]
        found: dict[tuple[str, str], Counter[str]] = {}
        for node, sums in nodes:
            for source, frames in sums.ways():
                found[node, source] = found.get((node, source), Counter()) + frames
        return found

    def _chain(self, time_steps: int) -> Chain | None:
        if time_steps not in self.chains:
            self.chains[time_steps] = Chain.of(self.compiled, time_steps)
        return self.chains[time_steps]

    def _block(self, time_steps: int, samples: int) -> tuple[int, int]:
        """How many time steps and samples go through a layer at once; blocks are about equal."""
        largest, most_steps = self.largest, min(self.block_steps, BLOCK_STEPS)
        steps = max(1, min(time_steps, most_steps, self.block_elements // largest))
        most = max(1, self.block_elements // (largest * steps))
        blocks = max(1, -(-samples // most))
        return steps, max(1, -(-samples // blocks))

    def _run(
        self, frames: Tensor, time_steps: int, block: int, result: "_Result", chunk: slice
    ) -> None:
        run = Run(self.compiled, frames.shape[1])
        static = self.network.input.static
        for steps in cut(time_steps, block):
            given = frames if static else frames[steps]

            def keep(done: Layer, start: int = steps.start) -> None:
                steps = slice(start + done.steps.start, start + done.steps.stop)
                result.keep(done, steps, chunk)

            count, goes_on = steps.stop - steps.start, steps.stop < time_steps
            readout = run.block(given, count, result.wants_states, keep, goes_on)
            result.readout[chunk] += readout


@dataclass
class _Result:
    """What a simulation fills in, block by block."""

    record: Record
    readout: NDArray[np.int64]
    counts: dict[str, NDArray[np.integer]]
    traces: dict[str, Trace] = field(default_factory=dict)

    @classmethod
    def empty(
        cls, network: QuantizedNetwork, samples: int, time_steps: int, record: Record
    ) -> "_Result":
        names = (*(p.name for p in network.populations), *network.ors)
        shapes = {name: (samples, *network.shape(name)) for name in names}
        states = {p.name: p.neuron.variables if record.states else () for p in network.populations}
        traces = {
            name: Trace(
                np.empty((time_steps, *shapes[name]), np.bool_),
                {s: np.empty((time_steps, *shapes[name]), np.int32) for s in states[name]},
            )
            for name in record.layers
        }
        kind = count_type(time_steps)
        counts = {  # channels last in memory, as layers leave them
            name: channels_first(np.zeros((n, *size, channels), kind))
            for name, (n, channels, *size) in shapes.items()
        }
        return cls(record, np.zeros((samples, *network.readout.shape), np.int64), counts, traces)

    def wants_states(self, name: str) -> bool:
        return self.record.states and name in self.traces

    def take(
        self, chunk: slice, readout: NDArray[np.int64], counts: dict[str, NDArray[np.uint8]]
    ) -> None:
        """Take the answer to some samples, all time steps of them."""
        self.readout[chunk] = readout
        for name, counted in counts.items():
            self.counts[name][chunk] = counted

    def keep(self, done: Layer, steps: slice, chunk: slice) -> None:
        """Take what is asked for of one layer in these time steps."""
        name = done.name
        counts = self.counts[name]
        total = done.total.cpu().numpy()
        if steps.start == 0:
            counts[chunk] = total
        else:
            counts[chunk] += total.astype(counts.dtype, copy=False)
        if name in self.traces:
            trace = self.traces[name]
            trace.spikes[steps, chunk] = done.spikes.cpu().numpy()
            for state, values in done.states.items():
                trace.states[state][steps, chunk] = values.cpu().numpy()
