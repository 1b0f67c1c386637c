"""A population's update in C: the current of its accumulator, then the step of its neuron."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from arlif.core.current_graph import BIAS, GAIN, current_graph
from arlif.core.graph import CURRENT
from arlif.core.maps import Shape
from arlif.core.nodes import Population
from arlif.core.proven_ranges import PopulationRanges
from arlif.core.ranges import Interval
from export.c.c_types import Constants, channels_last, span
from export.c.statements import Statements

SUM, CHANNEL, NEURON = "sum", "c", "i"
"""What the code calls the accumulator, the channel, and the neuron's place in H, W, C."""


@dataclass(frozen=True)
class NeuronCode:
    """One update of a neuron as C declarations.

    current: from `sum` to `x`, in which `c` is the channel. step: from x and the states, variables
    of their names with an underscore behind, to `spike` and `after`, expressions. reads_current:
    whether x matters. before: the states that the step reads.
    """

    current: tuple[str, ...]
    step: tuple[str, ...]
    spike: str
    after: dict[str, str]
    reads_current: bool
    before: tuple[str, ...]


def neuron_code(
    population: Population, ranges: PopulationRanges, constants: Constants, label: str
) -> NeuronCode:
    """The code of a population's update; its arrays join `constants`, with `label` in their names.

    label: an identifier of the population.
    """
    neuron, graph = population.neuron, population.neuron.graph
    places = (graph.spikes, *graph.after)
    step = Statements(
        graph.nodes,
        ranges.neuron.nodes,
        neuron.state_format,
        neuron.factor_bits,
        {CURRENT: "x", **{state: f"{state}_" for state in neuron.variables}},
        neuron.tables,
    )
    reads = step.reads(places)
    step.inputs |= _arrays(neuron.constants, reads, population, constants, label)
    step.arrays |= _tables(reads, population, ranges, constants, label)
    return NeuronCode(
        _current(population, ranges, constants, label) if CURRENT in reads else (),
        tuple(step.lines(places)),
        step.name(graph.spikes),
        {
            state: step.name(place)
            for state, place in zip(neuron.variables, graph.after, strict=True)
        },
        CURRENT in reads,
        tuple(state for state in neuron.variables if state in reads),
    )


def _current(
    population: Population, ranges: PopulationRanges, constants: Constants, label: str
) -> tuple[str, ...]:
    given = current_graph(population, ranges.accumulator)
    code = Statements(
        given.nodes,
        given.intervals,
        population.neuron.state_format,
        population.gain_shift,
        {CURRENT: SUM},
        prefix="a",
    )
    last = len(given.nodes) - 1
    reads = code.reads([last])
    values = {GAIN: population.gain, BIAS: population.bias}
    code.inputs |= _arrays(values, reads, population, constants, label)
    unused = () if CURRENT in reads else (f"(void){SUM};",)
    return (*unused, *code.lines([last]), f"const int32_t x = {code.name(last)};")


def _arrays(
    values: Mapping[str, Any],
    reads: set[str],
    population: Population,
    constants: Constants,
    label: str,
) -> dict[str, str]:
    """The expressions of constants that are read and are arrays of more than one value."""
    found = {}
    for number, (name, value) in enumerate(sorted(values.items())):
        if name in reads and np.ndim(value) and _differs(span(value)):
            word = name if name.isidentifier() else f"constant{number}"
            laid, index = _laid(value, population.shape)
            found[name] = f"{constants.add(f'{label}_{word}', laid)}[{index}]"
    return found


def _differs(interval: Interval) -> bool:
    return interval[0] != interval[1]


def _laid(value: Any, shape: Shape) -> tuple[Any, str]:
    """Values in the order of the C arrays, and the variable that counts them."""
    per_neuron = value.size != shape[0]
    return (channels_last(value, shape), NEURON) if per_neuron else (value.ravel(), CHANNEL)


def _tables(
    reads: set[str],
    population: Population,
    ranges: PopulationRanges,
    constants: Constants,
    label: str,
) -> dict[str, str]:
    """The arrays of the reachable cells of tables that are read."""
    found: dict[str, str] = {}
    for name, cells in ranges.neuron.cells(population.neuron).items():
        if name in reads:
            values = population.neuron.tables[name].values[cells]
            word = name if name.isidentifier() else f"table{len(found)}"
            found[name] = constants.add(f"{label}_{word}", values)
    return found
