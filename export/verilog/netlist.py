"""A neuron's update as a netlist: the trace with every width proven, in what hardware has.

Each node of the graph becomes wires; what is decided, constant or a copy becomes none. Every wire
knows the interval of its integers, so its width follows and no operation can overflow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from arlif.base.reached import reached
from arlif.core.graph import CURRENT, Op, needed
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.nodes import Population
from arlif.core.proven_ranges import NeuronRanges, PopulationRanges
from arlif.core.ranges import Interval, joined, reachable, toward_zero, width
from arlif.core.tables import LookupTable


class Part(Enum):
    """What a wire is made by."""

    INPUT = "input"
    CONSTANT = "constant"
    ADD = "add"
    SUB = "sub"
    NEG = "neg"
    MUL = "mul"
    SHIFT = "shift"
    """Division by 2**data, rounded toward zero."""
    GE = "ge"
    """One bit: a >= b."""
    CHOOSE = "choose"
    CLIP = "clip"
    """To the wire's own interval."""
    INDEX = "index"
    """(a - data[0]) >> data[1]: a table's cell, counted from the first that is read."""
    LOOKUP = "lookup"
    """The cell of a table, by name in `data`."""


@dataclass(frozen=True)
class Wire:
    """A value: its part, the wires it is made of, what it can be, and what the part needs."""

    part: Part
    args: tuple[int, ...]
    interval: Interval
    data: tuple[int, ...] | str = ()

    @property
    def constant(self) -> bool:
        """Whether it is one number."""
        return self.part is Part.CONSTANT

    @property
    def bits(self) -> int:
        """Its width: of two's complement; 1 of a comparison."""
        return 1 if self.part is Part.GE else width(self.interval)


@dataclass
class Netlist:
    """Wires, each after its arguments. inputs, outputs: by name. tables: cells, by table's name."""

    wires: list[Wire] = field(default_factory=list)
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    tables: dict[str, tuple[int, ...]] = field(default_factory=dict)
    known: dict[Wire, int] = field(default_factory=dict)

    def add(
        self,
        part: Part,
        args: tuple[int, ...],
        interval: Interval,
        data: tuple[int, ...] | str = (),
    ) -> int:
        """A wire, made once; a number where only one is possible."""
        if interval[0] == interval[1]:
            part, args, data = Part.CONSTANT, (), ()
        wire = Wire(part, args, interval, data)
        if wire not in self.known:
            self.known[wire] = len(self.wires)
            self.wires.append(wire)
        return self.known[wire]

    def number(self, value: int) -> int:
        """A constant."""
        return self.add(Part.CONSTANT, (), (value, value))

    def input(self, name: str, interval: Interval) -> int:
        """A value from outside; no port but a number where it is always the same."""
        place = self.add(Part.INPUT, (), interval, name)
        if not self.wires[place].constant:
            self.inputs[name] = place
        return place

    def interval(self, place: int) -> Interval:
        """What a wire can be."""
        return self.wires[place].interval

    def clip(self, place: int, low: int, high: int) -> int:
        """A wire kept within low to high; itself where it is."""
        first, last = self.interval(place)
        if low <= first and last <= high:
            return place
        inside = min(max(first, low), high), min(max(last, low), high)
        return self.add(Part.CLIP, (place,), inside)

    def multiply(self, value: int, factor: int, bits: int) -> int:
        """value * factor / 2**bits, rounded toward zero; a constant factor in lowest terms."""
        if self.wires[value].constant:
            value, factor = factor, value
        if self.wires[factor].constant:
            number = self.interval(factor)[0]
            while bits and number % 2 == 0 and number:
                number, bits = number // 2, bits - 1
            factor = self.number(number)
        corners = [a * b for a in self.interval(value) for b in self.interval(factor)]
        whole = (min(corners), max(corners))
        one = self.interval(factor) == (1, 1)
        product = value if one else self.add(Part.MUL, (value, factor), whole)
        if not bits:
            return product
        ends = toward_zero(whole[0], bits), toward_zero(whole[1], bits)
        return self.add(Part.SHIFT, (product,), ends, (bits,))

    def plus(self, a: int, b: int, interval: Interval) -> int:
        """A sum; the other part where one is 0."""
        for one, other in ((a, b), (b, a)):
            if self.interval(one) == (0, 0):
                return other
        return self.add(Part.ADD, (a, b), interval)

    def lookup(self, name: str, table: LookupTable, x: int) -> int:
        """The cell of a table; only those that can be read are kept."""
        x = self.clip(x, table.low, table.high)
        cells = reachable(table, self.interval(x))
        start = table.low + (cells.start << table.shift)
        read = tuple(int(cell) for cell in table.values[cells])
        index = self.add(Part.INDEX, (x,), (0, len(read) - 1), (start, table.shift))
        if len(read) == 1:
            return self.number(read[0])
        title = f"{name}:{start}:{len(read)}"
        self.tables[title] = read
        return self.add(Part.LOOKUP, (index,), (min(read), max(read)), title)

    def needed(self) -> list[int]:
        """What the outputs need, in order."""
        return sorted(reached(self.outputs.values(), lambda place: self.wires[place].args))


SUMS = "acc"
"""The port of the accumulator."""
GAIN, BIAS = "gain", "bias"
"""Ports of what differs between channels."""
CONSTANT = "k_"
"""The port of a constant that differs between channels or neurons is this and its node."""
SPIKE = "spike"
"""The output that is the spike; the state after a step is after(name)."""


def before(state: str) -> str:
    """The port of a state variable before the step."""
    return f"s_{state}"


def after(state: str) -> str:
    """The port of a state variable after the step."""
    return f"n_{state}"


def neuron_netlist(neuron: IntegerNeuron, ranges: NeuronRanges) -> Netlist:
    """A neuron alone: from x and the state to the spike and the state after."""
    netlist = Netlist()
    add_neuron(netlist, neuron, ranges, netlist.input(CURRENT, ranges.x))
    return netlist


def update_netlist(population: Population, ranges: PopulationRanges) -> Netlist:
    """A population's update: from accumulator and state to the spike and the state after."""
    netlist = Netlist()
    sums = netlist.input(SUMS, ranges.accumulator)
    x = add_current(netlist, population, sums, ranges.neuron.x)
    add_neuron(netlist, population.neuron, ranges.neuron, x)
    return netlist


def current_netlist(population: Population, ranges: PopulationRanges) -> Netlist:
    """The input current alone: from the accumulator to x."""
    netlist = Netlist()
    sums = netlist.input(SUMS, ranges.accumulator)
    netlist.outputs[CURRENT] = add_current(netlist, population, sums, ranges.neuron.x)
    return netlist


def add_current(netlist: Netlist, population: Population, sums: int, x: Interval) -> int:
    """The input current, arlif.core.steps.current: saturate(sums gain / 2**gain_shift + bias)."""
    gain, bias = (
        per_channel(netlist, name, values)
        for name, values in ((GAIN, population.gain), (BIAS, population.bias))
    )
    product = netlist.multiply(sums, gain, population.gain_shift)
    (low, high), (least, most) = netlist.interval(product), netlist.interval(bias)
    state = population.neuron.state_format
    total = (low + least, high + most)
    fits = state.low <= total[0] and total[1] <= state.high
    return netlist.clip(netlist.plus(product, bias, x if fits else total), state.low, state.high)


def per_channel(netlist: Netlist, name: str, values: NDArray[np.integer]) -> int:
    """A constant of every channel: a port, or a number where all have the same."""
    low, high = int(values.min()), int(values.max())
    return netlist.number(low) if low == high else netlist.input(name, (low, high))


def add_neuron(netlist: Netlist, neuron: IntegerNeuron, ranges: NeuronRanges, x: int) -> None:
    """The step of a neuron, node by node, with the intervals that were proven for it."""
    graph = neuron.graph
    values: dict[int, int] = {}
    state = {name: netlist.input(before(name), ranges.states[name]) for name in graph.states}
    fixed = frozenset(n for n, (low, high) in enumerate(ranges.nodes) if low == high)
    for place in needed(graph, (graph.spikes, *graph.after), fixed):
        values[place] = _node(netlist, neuron, ranges, place, values, {CURRENT: x, **state})
    netlist.outputs[SPIKE] = values[graph.spikes]
    for name, place in zip(graph.states, graph.after, strict=True):
        netlist.outputs[after(name)] = values[place]


def _node(
    netlist: Netlist,
    neuron: IntegerNeuron,
    ranges: NeuronRanges,
    place: int,
    values: Mapping[int, int],
    inputs: Mapping[str, int],
) -> int:
    node, interval = neuron.graph.nodes[place], ranges.nodes[place]
    if interval[0] == interval[1]:
        return netlist.number(interval[0])
    args = tuple(values[arg] for arg in node.args)
    match node.op:
        case Op.INPUT:
            return inputs[node.name]
        case Op.PARAMETER:
            return netlist.input(f"{CONSTANT}{place}", interval)
        case Op.ADD:
            return netlist.plus(args[0], args[1], interval)
        case Op.SUB if netlist.interval(args[1]) == (0, 0):
            return args[0]
        case Op.SUB:
            return netlist.add(Part.SUB, args, interval)
        case Op.NEG:
            return netlist.add(Part.NEG, args, interval)
        case Op.GE | Op.FIRE:
            return netlist.add(Part.GE, args, interval)
        case Op.MULTIPLY:
            return netlist.multiply(args[0], args[1], neuron.factor_bits)
        case Op.SATURATE:
            return netlist.clip(args[0], neuron.state_format.low, neuron.state_format.high)
        case Op.LOOKUP:
            return netlist.lookup(node.name, neuron.tables[node.name], args[0])
    condition, a, b = args
    if netlist.wires[condition].constant:
        return a if netlist.interval(condition)[0] else b
    if a == b:
        return a
    return netlist.add(Part.CHOOSE, args, joined(netlist.interval(a), netlist.interval(b)))
