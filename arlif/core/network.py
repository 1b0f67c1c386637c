"""QuantizedNetwork: a whole spiking network as integers, proven consistent when it is built."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from arlif.base.errors import ArlifError, NetworkError, require
from arlif.base.reached import reached
from arlif.core.equality import ArrayEquality
from arlif.core.maps import Interval, Shape, chain_interval, chain_shape
from arlif.core.nodes import (
    INPUT,
    MOST_STEPS,
    READOUT,
    Input,
    OverTime,
    Pooled,
    Population,
    Projection,
    Reading,
    Readout,
)
from arlif.core.ranges import INT32, width, within

__all__ = [
    "INPUT",
    "NUMERICS_VERSION",
    "READOUT",
    "Input",
    "OverTime",
    "Pooled",
    "Population",
    "Projection",
    "QuantizedNetwork",
    "Reading",
    "Readout",
]

NUMERICS_VERSION = 1
"""Version of docs/numerics.md that artifacts are written for; loaders refuse any other."""

SPIKES: Interval = (0, 1)


@dataclass(frozen=True, eq=False)
class QuantizedNetwork(ArrayEquality):
    """A graph: input and populations, joined by projections, into one readout.

    The constructor proves that names are unique, shapes fit, every cycle has a delay, everything is
    driven and reaches the readout, and neither an accumulator nor a sum between the maps of a
    projection can leave int32.
    time_steps: T that the network was trained for, 1 to MOST_STEPS.
    Raises NetworkError.
    """

    input: Input
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    readout: Readout
    time_steps: int

    def __post_init__(self) -> None:
        require_time_steps(self.time_steps, NetworkError)
        names = [INPUT, *(p.name for p in self.populations), READOUT]
        require(
            len(set(names)) == len(names) and all(_is_name(name) for name in names),
            f"node names must be distinct, printable and without '/' or '.'; got {names}",
            NetworkError,
        )
        for projection in self.projections:
            for end in (projection.source, projection.target):
                require(end in names, f"projection {projection}: no node {end!r}", NetworkError)
        ordered = self._sorted_populations()
        object.__setattr__(self, "populations", ordered)
        for population in ordered:
            self._check_node(population)
        if self.readout.reading is None:
            self._check_node(self.readout)
        else:
            self._check_reading(self.readout.reading)
        reaching = self._reaching(READOUT)
        unused = [name for name in names if name not in reaching]
        require(
            not unused,
            f"these nodes lead nowhere: {', '.join(unused)}; connect or remove them",
            NetworkError,
        )

    def _reaching(self, target: str) -> set[str]:
        """The nodes from which projections lead to a node, itself too."""
        return reached([target], self._sources)

    def _sources(self, name: str) -> list[str]:
        """The nodes that a node reads directly."""
        reading = self.readout.reading
        if name == READOUT and reading is not None:
            return [reading.population]
        return [p.source for p in self.incoming(name)]

    def _sorted_populations(self) -> tuple[Population, ...]:
        """Sources before targets, but for delayed ones, otherwise in the given order."""
        waiting = {p.name: p for p in self.populations}
        sources: dict[str, set[str]] = {name: set() for name in waiting}
        for projection in self.projections:
            require(
                projection.source != READOUT and projection.target != INPUT,
                f"projection {projection}: nothing leaves the readout or enters the input",
                NetworkError,
            )
            inside = projection.target in waiting and projection.source in waiting
            if inside and projection.delay == 0:
                sources[projection.target].add(projection.source)
        ordered = []
        while waiting:
            ready = next((name for name in waiting if not sources[name] & waiting.keys()), None)
            require(
                ready is not None,
                f"{', '.join(waiting)} hold a cycle without delay, or lie behind one: give a "
                "projection that goes back a delay of one time step or more",
                NetworkError,
            )
            ordered.append(waiting.pop(str(ready)))
        return tuple(ordered)

    def _check_node(self, node: Population | Readout) -> None:
        incoming = self.incoming(node.name)
        require(bool(incoming), f"{node.name} receives no projection", NetworkError)
        for projection in incoming:
            low, high = self.source_interval(projection.source)
            require(
                not projection.pools or (low, high) == SPIKES,
                f"projection {projection}: only spikes, 0 or 1, have an OR, and "
                f"{projection.source} sends {low} to {high}; pool behind a neuron, or give Input "
                "low=0 and high=1",
                NetworkError,
            )
            shape = chain_shape(projection.maps, self.shape(projection.entering))
            require(
                shape == node.shape,
                f"projection {projection} delivers shape {shape}, but {node.name} has {node.shape}",
                NetworkError,
            )
            self._check_sums_between(projection)
        low, high = self.accumulator_interval(node.name)
        if isinstance(node, Readout):
            low, high = low + int(node.bias.min()), high + int(node.bias.max())
        require(
            within((low, high), INT32),
            f"the accumulator of {node.name} may reach [{low}, {high}], past int32; "
            "use fewer inputs, smaller weights or smaller shifts",
            NetworkError,
        )

    def _check_sums_between(self, projection: Projection) -> None:
        """What goes from map to map, which the accumulator need not show: a map may be all 0."""
        interval = self.source_interval(projection.entering)
        for linear in projection.maps[:-1]:
            interval = linear.output_interval(interval)
            require(
                within(interval, INT32),
                f"projection {projection}: between its maps a sum may reach {[*interval]}, past "
                "int32; use fewer inputs or smaller weights",
                NetworkError,
            )

    def _check_reading(self, reading: Reading) -> None:
        found = next((p for p in self.populations if p.name == reading.population), None)
        shape = self.readout.shape
        require(
            found is not None and found.shape == shape and not self.incoming(READOUT),
            f"the readout reads {reading}: that is a population of shape {shape}, and no "
            "projection enters the readout",
            NetworkError,
        )
        assert found is not None
        require(
            reading.variable in found.neuron.variables,
            f"the readout reads {reading}, which has {', '.join(found.neuron.variables)}",
            NetworkError,
        )
        state, bias = found.neuron.state_format, self.readout.bias
        require(
            within((state.low + int(bias.min()), state.high + int(bias.max())), INT32),
            f"the readout's bias, {bias.min()} to {bias.max()}, and {reading} may pass int32; use "
            "a smaller bias",
            NetworkError,
        )

    @cached_property
    def _nodes(self) -> dict[str, Input | Population | Readout]:
        return {INPUT: self.input, **{p.name: p for p in self.populations}, READOUT: self.readout}

    @cached_property
    def ors(self) -> dict[str, Pooled]:
        """Every OR of spikes by name, each behind what it reads."""
        return {pooled.name: pooled for p in self.projections for pooled in p.ors}

    def ors_of(self, node: str) -> tuple[Pooled, ...]:
        """Every OR of a node's spikes, directly or behind another, each behind what it reads."""
        found: dict[str, Pooled] = {}
        for name, pooled in self.ors.items():
            if pooled.source == node or pooled.source in found:
                found[name] = pooled
        return tuple(found.values())

    def shape(self, name: str) -> Shape:
        """Shape of what a node sends, or of an OR, without time and batch."""
        if name in self.ors:
            return self.ors[name].output_shape(self.shape(self.ors[name].source))
        return self._nodes[name].shape

    def incoming(self, name: str) -> tuple[Projection, ...]:
        """The projections into a node."""
        return tuple(p for p in self.projections if p.target == name)

    def source_interval(self, name: str) -> Interval:
        """The values that a node or an OR can send: the input's raw range, or spikes."""
        return (self.input.low, self.input.high) if name == INPUT else SPIKES

    def accumulator_interval(self, name: str) -> Interval:
        """The proven range of a node's accumulator."""
        low = high = 0
        for projection in self.incoming(name):
            reach = chain_interval(projection.maps, self.source_interval(projection.entering))
            low, high = low + (reach[0] << projection.shift), high + (reach[1] << projection.shift)
        return low, high

    def accumulator_bits(self, name: str) -> int:
        """The two's complement width that a node's accumulator needs."""
        return width(self.accumulator_interval(name))

    @cached_property
    def depth(self) -> dict[str, int]:
        """Longest path from the input to each node, in projections that do not wait; input: 0."""
        depth = {INPUT: 0}
        for name in (*(p.name for p in self.populations), READOUT):
            before = [depth[p.source] for p in self.incoming(name) if p.delay == 0]
            depth[name] = 1 + max(before, default=0)
        if self.readout.reading is not None:
            depth[READOUT] += depth[self.readout.reading.population]
        return depth

    def waits(self, name: str) -> int:
        """How many steps what a node or an OR sends may still have to wait: its longest delay."""
        return max((p.delay for p in self.projections if p.entering == name), default=0)

    @cached_property
    def loops(self) -> tuple[tuple[Population, ...], ...]:
        """The populations in parts that follow one another; within a part each reaches each.

        A part of one population that does not feed itself is no loop.
        """
        reaching = {p.name: self._reaching(p.name) for p in self.populations}
        parts: list[list[Population]] = []
        for population in self.populations:
            name = population.name
            part = next((q for q in parts if _mutual(name, q[0].name, reaching)), None)
            if part is None:
                parts.append([population])
            else:
                part.append(population)
        return tuple(tuple(part) for part in _in_order(parts, reaching))

    def chunk(self, loop: tuple[Population, ...]) -> int | None:
        """How many steps the populations of a loop can run for, one after the other; None: any.

        It is the shortest delay within the loop.
        """
        names = {p.name for p in loop}
        delays = [
            p.delay for p in self.projections if p.delay and p.source in names and p.target in names
        ]
        return min(delays, default=None)


def _mutual(a: str, b: str, reaching: dict[str, set[str]]) -> bool:
    return a in reaching[b] and b in reaching[a]


def _in_order(
    parts: list[list[Population]], reaching: dict[str, set[str]]
) -> list[list[Population]]:
    """Parts behind those that reach them: one is reached by fewer than what it reaches."""
    return sorted(parts, key=lambda part: len(reaching[part[0].name]))


def require_time_steps(time_steps: object, error: type[ArlifError] = ArlifError) -> None:
    """Raise `error` where no network can run for so many time steps."""
    require(
        isinstance(time_steps, int | np.integer) and bool(1 <= time_steps <= MOST_STEPS),
        f"a network runs for at least 1 time step and at most {MOST_STEPS:,}, a whole number, not "
        f"{time_steps}",
        error,
    )


def _is_name(name: str) -> bool:
    return bool(name) and name.isprintable() and "/" not in name and "." not in name
