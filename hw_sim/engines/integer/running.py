"""A run of the fast engine under way: what each layer did last, and what is still on its way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arlif.base.cut import cut
from arlif.core.network import INPUT, Population, Projection
from hw_sim.engines.integer.any_under import any_under
from hw_sim.engines.integer.compiled_network import CompiledNetwork
from hw_sim.engines.integer.line import Line


@dataclass(frozen=True, eq=False)
class Layer:
    """What one population, or an OR of spikes, did in some steps of a block.

    spikes: bytes [T, N, *shape]; total: their sum over T; states: of that shape, where wanted.
    """

    name: str
    steps: slice
    spikes: Tensor
    total: Tensor
    states: dict[str, Tensor]


@dataclass(eq=False)
class Run:
    """The state of a network between blocks of time steps, for some samples."""

    compiled: CompiledNetwork
    samples: int
    states: dict[str, Any] = field(default_factory=dict)
    constants: dict[str, Tensor] = field(default_factory=dict)
    past: dict[str, Tensor] = field(default_factory=dict)
    read: list[Tensor] = field(default_factory=list)
    total: NDArray[np.int64] | None = None

    def block(
        self,
        frames: Tensor,
        count: int,
        wants_states: Callable[[str], bool],
        keep: Callable[[Layer], None],
        goes_on: bool = True,
    ) -> NDArray[np.int64]:
        """Run `count` time steps: what they add to the readout, [N, classes].

        Where it reads a state, what is added is the difference to the steps before.

        frames: raw inputs [T, N, *shape], or one frame [1, N, *shape] that is shown at every step.
        keep: takes what each population and each OR did, in the order in which they did it.
        goes_on: whether another block follows.
        """
        compiled, network = self.compiled, self.compiled.network
        static, shown = network.input.static, slice(0, count)
        lines: dict[str, Line] = {}
        totals: dict[tuple[str, int], Tensor] = {}
        for name, values in self._with_ors(INPUT, frames).items():
            lines[name] = self._line(name, values, static)
            if name != INPUT or (INPUT, 0) in compiled.read:
                once = values.int().sum(0)
                totals[name, 0] = once * count if static else once
            if name != INPUT:
                keep(Layer(name, shown, values, totals[name, 0], {}))
        rests = {name: line.rest(count) for name, line in lines.items()}
        self._total_late(totals, lines, count)
        for index, part in enumerate(network.loops):
            for done in self._part(part, count, lines, wants_states, goes_on):
                keep(done)
                key = (done.name, 0)
                totals[key] = totals[key] + done.total if key in totals else done.total
            rests |= {name: lines[name].rest(count) for p in part for name in self._names(p.name)}
            self._total_late(totals, lines, count)
            for name in compiled.last_read_by[index]:
                del lines[name]
        self.past = rests
        if network.readout.reading is not None:
            return self._read_states()
        sums = compiled.readout_sum(count)(lambda p: totals[p.entering, p.delay][None])
        bias = network.readout.bias.astype(np.int64)
        return sums[0].cpu().numpy().astype(np.int64) + count * bias

    def _read_states(self) -> NDArray[np.int64]:
        """The readout of the states of this block, less what it was before."""
        before = self.total
        self.total = self.compiled.network.readout.read(torch.cat(self.read).cpu().numpy(), before)
        self.read.clear()
        return self.total if before is None else self.total - before

    def _total_late(
        self, totals: dict[tuple[str, int], Tensor], lines: dict[str, Line], count: int
    ) -> None:
        """Add what the readout sums of frames that had to wait, of the lines that there are."""
        for name, delay in self.compiled.read - totals.keys():
            if delay and name in lines:
                late = lines[name].arriving(slice(0, count), delay)
                totals[name, delay] = late.sum(0, dtype=torch.int32)

    def _names(self, node: str) -> tuple[str, ...]:
        """A node and every OR of its spikes."""
        return (node, *(pooled.name for pooled in self.compiled.network.ors_of(node)))

    def _with_ors(self, node: str, sent: Tensor) -> dict[str, Tensor]:
        """What a node sends, and every OR of it, by name."""
        found = {node: sent}
        for pooled in self.compiled.network.ors_of(node):
            found[pooled.name] = any_under(pooled.window, found[pooled.source])
        return found

    def _line(self, name: str, block: Tensor, steady: bool = False) -> Line:
        return Line.of(block, self.past.get(name), self.compiled.waits[name], steady)

    def _part(
        self,
        part: tuple[Population, ...],
        count: int,
        lines: dict[str, Line],
        wants_states: Callable[[str], bool],
        goes_on: bool,
    ) -> Iterator[Layer]:
        """Populations of a loop, as many steps at once as none of them waits for another."""
        chunk, reading = self.compiled.network.chunk(part), self.compiled.network.readout.reading
        looped = chunk is not None
        if looped:
            for name in (name for population in part for name in self._names(population.name)):
                shape = (count, self.samples, *self.compiled.network.shape(name))
                empty = torch.empty(shape, dtype=torch.uint8, device=self.compiled.device)
                lines[name] = self._line(name, empty)
        for steps in cut(count, chunk or count):
            for population in part:
                name, kept = population.name, wants_states(population.name)
                is_read = reading is not None and reading.population == name
                spikes, total, self.states[name], states = self.compiled.updates[name](
                    self._accumulated(name, lines, steps),
                    steps.stop - steps.start,
                    self.states.get(name),
                    kept or is_read,
                    goes_on or steps.stop < count,
                )
                if reading is not None and is_read:
                    self.read.append(states[reading.variable])
                for one, sent in self._with_ors(name, spikes).items():
                    if looped:
                        lines[one].block[steps] = sent
                    else:
                        lines[one] = self._line(one, sent)
                    of = states if one == name and kept else {}
                    fired = total if one == name else reduce(torch.add, sent)
                    yield Layer(one, steps, sent, fired, of)

    def _accumulated(self, name: str, lines: dict[str, Line], steps: slice) -> Tensor:
        """A node's accumulators; those that are the same at every step are computed once."""

        def arriving(projection: Projection) -> Tensor:
            return lines[projection.entering].arriving(steps, projection.delay)

        sums = self.compiled.sums[name]
        if not sums.constant:
            return sums(arriving)
        if name not in self.constants:
            self.constants[name] = sums(arriving)
        return self.constants[name]
