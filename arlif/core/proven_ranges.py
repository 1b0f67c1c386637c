"""What a population of a network can compute, whatever its inputs are: proven once, for all time.

Intervals hold for every time step and every raw input within its range; widths of numbers, cells of
tables and conditions that never change follow from them.
"""

from dataclasses import dataclass

from arlif.core.graph import CURRENT, Op
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.network import QuantizedNetwork
from arlif.core.nodes import Population
from arlif.core.ops import IntegerOps
from arlif.core.ranges import Interval, joined, reachable
from arlif.core.steps import current

ROUNDS = 400
"""Rounds after which states that still grow are given their whole format."""


@dataclass(frozen=True)
class NeuronRanges:
    """Intervals of a neuron for currents within x.

    states: of the state variables by name, before and after every step. nodes: of every node of
    the neuron's graph.
    """

    x: Interval
    states: dict[str, Interval]
    nodes: tuple[Interval, ...]

    def saturates(self, neuron: IntegerNeuron) -> bool:
        """Whether any value of the step can lie outside the state format, and then saturates."""
        state = neuron.state_format
        return any(
            self.nodes[node.args[0]][0] < state.low or self.nodes[node.args[0]][1] > state.high
            for node in neuron.graph.nodes
            if node.op is Op.SATURATE
        )

    def cells(self, neuron: IntegerNeuron) -> dict[str, slice]:
        """The cells that are read of each table, by its name."""
        found: dict[str, slice] = {}
        for node in neuron.graph.nodes:
            if node.op is Op.LOOKUP:
                read = reachable(neuron.tables[node.name], self.nodes[node.args[0]])
                other = found.get(node.name, read)
                found[node.name] = slice(min(read.start, other.start), max(read.stop, other.stop))
        return found


@dataclass(frozen=True)
class PopulationRanges:
    """Intervals of a population: of its accumulators and of its neurons."""

    accumulator: Interval
    neuron: NeuronRanges


def population_ranges(network: QuantizedNetwork, name: str) -> PopulationRanges:
    """The proven intervals of a population."""
    population = next(p for p in network.populations if p.name == name)
    accumulator = network.accumulator_interval(name)
    return PopulationRanges(
        accumulator, neuron_ranges(population.neuron, current_interval(population, accumulator))
    )


def current_interval(population: Population, accumulator: Interval) -> Interval:
    """The input currents of accumulators within an interval; gains are not negative."""
    ops = IntegerOps(population.neuron.state_format, population.gain_shift)
    low, high = (current(ops, edge, population.gain, population.bias) for edge in accumulator)
    return int(low.min()), int(high.max())


def neuron_ranges(neuron: IntegerNeuron, x: Interval) -> NeuronRanges:
    """The smallest intervals around 0 that no step leaves, for currents within x."""
    states = dict.fromkeys(neuron.variables, (0, 0))
    for _ in range(ROUNDS):
        nodes = neuron.intervals({CURRENT: x, **states})
        grown = {
            name: joined(states[name], nodes[place])
            for name, place in zip(neuron.variables, neuron.graph.after, strict=True)
        }
        if grown == states:
            break
        states = grown
    else:
        state = neuron.state_format
        states = dict.fromkeys(neuron.variables, (state.low, state.high))
        nodes = neuron.intervals({CURRENT: x, **states})
    return NeuronRanges(x, states, tuple(nodes))
