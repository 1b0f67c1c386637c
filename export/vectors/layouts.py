"""Every array of golden vectors: its axes, type, proven range, unit and scale."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import require
from arlif.core.graph import SPIKES
from arlif.core.maps import Shape
from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from arlif.core.nodes import Population
from arlif.core.proven_ranges import population_ranges
from arlif.core.ranges import Interval, width
from export.golden import Golden

ACCUMULATOR, CURRENT, STATE = "accumulator", "current", "state"
DECISIONS = "decisions"
MOST_VALUES = 1 << 26
"""Numbers in all vectors of a network; as text they are some hundred megabytes."""


@dataclass(frozen=True)
class Layout:
    """What an array is. axes: names, slowest first. low, high: no value lies outside, proven.

    dtype: of the .npy file. unit: what one step counts, in words. scale: its real value, where it
    has one for the whole array.
    """

    axes: tuple[str, ...]
    shape: Shape
    dtype: str
    low: int
    high: int
    unit: str
    scale: float | None = None

    @property
    def signed(self) -> bool:
        """Whether words are in two's complement."""
        return self.low < 0

    @property
    def bits(self) -> int:
        """The width that every value fits."""
        return needed_bits((self.low, self.high))


def needed_bits(interval: Interval) -> int:
    """Bits of the integers of an interval; with a sign where it goes below 0."""
    return width(interval) if interval[0] < 0 else max(1, interval[1].bit_length())


def array_name(population: str, kind: str, state: str = "") -> str:
    """The name of a population's array, such as conv1.spikes, or conv1.state.u."""
    return f"{population}.{kind}.{state}" if state else f"{population}.{kind}"


def layouts(network: QuantizedNetwork, samples: int) -> dict[str, Layout]:
    """Every array by name, causes before effects. Raises ArlifError where it would be too much."""
    source, steps = network.input, network.time_steps
    lead, sizes = (("N",), (samples,)) if source.static else (("T", "N"), (steps, samples))
    found = {
        INPUT: Layout(
            (*lead, *frame_axes(source.shape, "feature")),
            (*sizes, *source.shape),
            "int8",
            source.low,
            source.high,
            "raw input",
            source.scale,
        )
    }
    for population in network.populations:
        found |= _of_population(network, population, (steps, samples))
    found |= _of_readout(network, samples)
    values = sum(prod(layout.shape) for layout in found.values())
    require(
        values <= MOST_VALUES,
        f"vectors of {samples} samples are {values:,} numbers, and at most {MOST_VALUES:,} are "
        "written; ask for fewer samples",
    )
    return found


def _of_population(
    network: QuantizedNetwork, population: Population, lead: tuple[int, int]
) -> dict[str, Layout]:
    name = population.name
    ranges, step = population_ranges(network, name), population.neuron.state_format
    axes = ("T", "N", *frame_axes(population.shape))
    shape = (*lead, *population.shape)
    sums = "weight times what the source sends, summed; before gain and bias"
    fraction = f"2**-{step.frac_bits}, after gain and bias"
    found = {
        array_name(name, ACCUMULATOR): Layout(axes, shape, "int32", *ranges.accumulator, sums),
        array_name(name, CURRENT): Layout(
            axes, shape, "int32", *ranges.neuron.x, fraction, 1 / step.one
        ),
        array_name(name, SPIKES): Layout(axes, shape, "uint8", 0, 1, "1 is a spike", 1.0),
    }
    for state, ends in ranges.neuron.states.items():
        found[array_name(name, STATE, state)] = Layout(
            axes, shape, "int32", *ends, f"2**-{step.frac_bits}, after the step", 1 / step.one
        )
    return found


def _of_readout(network: QuantizedNetwork, samples: int) -> dict[str, Layout]:
    low, high = network.accumulator_interval(READOUT)
    readout, steps = network.readout, network.time_steps
    classes, bias, reading = readout.shape, readout.bias, readout.reading
    decided = Layout(("N",), (samples,), "int64", 0, classes[0] - 1, "class, the first of equals")
    if reading is not None:
        ranges = population_ranges(network, reading.population).neuron
        least, most = ranges.states[reading.variable]
        ends = least + int(bias.min()), most + int(bias.max())
        unit = f"{reading} over all time steps, plus bias"
        read = Layout(("N", "class"), (samples, *classes), "int64", *ends, unit, readout.scale)
        return {READOUT: read, DECISIONS: decided}
    ends = min(0, low + int(bias.min())) * steps, max(0, high + int(bias.max())) * steps
    summed = "accumulator plus bias, summed over all time steps"
    return {
        array_name(READOUT, ACCUMULATOR): Layout(
            ("T", "N", "class"),
            (steps, samples, *classes),
            "int32",
            low,
            high,
            "weight times what the source sends, summed; before bias",
            readout.scale,
        ),
        READOUT: Layout(("N", "class"), (samples, *classes), "int64", *ends, summed, readout.scale),
        DECISIONS: decided,
    }


def frame_axes(shape: Shape, single: str = "neuron") -> tuple[str, ...]:
    """Names of the axes of a frame, a signal, or of features, neurons or classes in a row."""
    known = {1: (single,), 2: ("C", "L"), 3: ("C", "H", "W")}
    return known.get(len(shape)) or tuple(f"axis {number}" for number in range(len(shape)))


def values_of(network: QuantizedNetwork, vectors: Golden) -> dict[str, NDArray[Any]]:
    """The arrays of golden vectors by the names of `layouts`, in its order and types."""
    found: dict[str, NDArray[Any]] = {INPUT: vectors.inputs}
    for population in network.populations:
        name = population.name
        moments = [step.moments[name] for step in vectors.steps]
        for kind in (ACCUMULATOR, CURRENT, SPIKES):
            found[array_name(name, kind)] = np.stack([getattr(m, kind) for m in moments])
        for state in population.neuron.variables:
            steps = [getattr(m.state, state) for m in moments]
            found[array_name(name, STATE, state)] = np.stack(steps)
    summed = vectors.readout
    if network.readout.reading is None:
        each = [step.readout - network.readout.bias for step in vectors.steps]
        found[array_name(READOUT, ACCUMULATOR)] = np.stack(each)
    found |= {READOUT: summed, DECISIONS: np.argmax(summed, axis=1)}
    return typed(found, layouts(network, len(summed)))


def typed(
    values: Mapping[str, NDArray[Any]], known: Mapping[str, Layout]
) -> dict[str, NDArray[Any]]:
    """Arrays in the types of their layouts, in C order."""
    return {
        name: np.ascontiguousarray(array, np.dtype(known[name].dtype))
        for name, array in values.items()
    }
