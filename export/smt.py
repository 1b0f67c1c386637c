"""The specification of a neuron's step as SMT-LIB: does hardware differ from it anywhere?

The statement follows docs/numerics.md on vectors of 64 bits, node by node of the trace. It knows
nothing of widths, pipelines or folded constants: those belong to what is judged.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from arlif.core.graph import CURRENT, Node, Op
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.proven_ranges import NeuronRanges
from arlif.core.ranges import Interval, width
from arlif.core.tables import LookupTable

BITS = 64
"""Of every value of the specification; products have up to 30 + 17 bits."""


@dataclass(frozen=True)
class Cell:
    """Currents that read one cell of every table of x, or all currents. number: of the cell."""

    number: int | None
    x: Interval


@dataclass(frozen=True)
class Port:
    """A value that hardware takes or gives: its name there, its bits, and what it can be."""

    name: str
    bits: int
    interval: Interval


def cells(neuron: IntegerNeuron, ranges: NeuronRanges) -> list[Cell]:
    """How currents are cut: by the cells of the tables that x is looked up in, or not at all."""
    graph, (low, high) = neuron.graph, ranges.x
    tables = [
        neuron.tables[node.name]
        for node in graph.nodes
        if node.op is Op.LOOKUP and _is_x(graph.nodes[node.args[0]])
    ]
    if not tables or any((t.low, t.shift) != (tables[0].low, tables[0].shift) for t in tables):
        return [Cell(None, ranges.x)]
    first = tables[0]
    found = []
    for number in range(first.values.size):
        start = first.low + (number << first.shift)
        end = start + (1 << first.shift) - 1
        start = low if number == 0 else max(low, start)
        end = high if number == first.values.size - 1 else min(high, end)
        if start <= end:
            found.append(Cell(number, (start, end)))
    return found


def _is_x(node: Node) -> bool:
    return node.op is Op.INPUT and node.name == CURRENT


def question(
    neuron: IntegerNeuron,
    ranges: NeuronRanges,
    cell: Cell,
    hardware: str,
    ports: dict[str, Port],
) -> str:
    """SMT-LIB that is satisfiable exactly where hardware differs from the specification.

    hardware: SMT-LIB of a module `neuron`, as yosys writes it. ports: of x, the state before and
    after ("after u"), the spike, and of constants that differ between neurons ("constant" and the
    node), where the hardware has them. Also satisfiable where a state leaves what was proven.
    """
    lines = ["(set-logic ALL)", hardware, "(declare-fun S () |neuron_s|)"]
    given = [CURRENT, *neuron.graph.states, *(n for n in ports if n.startswith("constant "))]
    for name in given:
        if name in ports:
            lines += _declared(name, ports[name])
    lines += _specification(neuron, ranges, cell, ports)
    low, high = cell.x
    if CURRENT in ports:
        lines.append(f"(assert (and (bvsge |x| {number(low)}) (bvsle |x| {number(high)})))")
    differs = [_spike(neuron, ports)]
    for name, place in zip(neuron.graph.states, neuron.graph.after, strict=True):
        low, high = ranges.states[name]
        spec = f"n{place}"
        differs.append(f"(distinct {spec} {_output(ports[f'after {name}'])})")
        differs += [f"(bvslt {spec} {number(low)})", f"(bvsgt {spec} {number(high)})"]
    return "\n".join([*lines, f"(assert (or {' '.join(differs)}))", ""])


def number(value: int, bits: int = BITS) -> str:
    """A constant of so many bits."""
    return f"(_ bv{value % (1 << bits)} {bits})"


def _wire(port: Port) -> str:
    """A wire of the module as a vector; yosys makes a single bit a Bool."""
    wire = f"(|neuron_n {port.name}| S)"
    return f"(ite {wire} #b1 #b0)" if port.bits == 1 else wire


def _output(port: Port) -> str:
    return f"((_ sign_extend {BITS - port.bits}) {_wire(port)})"


def _spike(neuron: IntegerNeuron, ports: dict[str, Port]) -> str:
    return f"(distinct n{neuron.graph.spikes} (= {_wire(ports['spike'])} #b1))"


def _declared(name: str, port: Port) -> Iterator[str]:
    """An input: any integer of its interval, the same for both."""
    low, high = port.interval
    yield f"(declare-fun |i {name}| () (_ BitVec {port.bits}))"
    wide = f"((_ sign_extend {BITS - port.bits}) |i {name}|)"
    yield f"(define-fun |{name}| () (_ BitVec {BITS}) {wide})"
    yield f"(assert (= {_wire(port)} |i {name}|))"
    yield f"(assert (and (bvsge |{name}| {number(low)}) (bvsle |{name}| {number(high)})))"


def _specification(
    neuron: IntegerNeuron, ranges: NeuronRanges, cell: Cell, ports: dict[str, Port]
) -> Iterator[str]:
    """Every node of the trace by its number."""
    for place, node in enumerate(neuron.graph.nodes):
        kind = "Bool" if node.op in (Op.GE, Op.FIRE) else f"(_ BitVec {BITS})"
        if node.op is Op.INPUT:
            known = ranges.x if node.name == CURRENT else ranges.states[node.name]
            value = f"|{node.name}|" if node.name in ports else number(known[0])
        elif node.op is Op.PARAMETER:
            constant, port = neuron.constants[node.name], f"constant {place}"
            value = f"|{port}|" if port in ports else number(int(np.min(constant)))
        else:
            value = _value(neuron, node, cell)
        yield f"(define-fun n{place} () {kind} {value})"


def _value(neuron: IntegerNeuron, node: Node, cell: Cell) -> str:
    args = [f"n{arg}" for arg in node.args]
    form, bits = neuron.state_format, neuron.factor_bits
    match node.op:
        case Op.NUMBER:
            return number(int(node.number))
        case Op.ADD | Op.SUB:
            return f"({'bvadd' if node.op is Op.ADD else 'bvsub'} {args[0]} {args[1]})"
        case Op.NEG:
            return f"(bvneg {args[0]})"
        case Op.GE | Op.FIRE:
            return f"(bvsge {args[0]} {args[1]})"
        case Op.WHERE | Op.SELECT:
            return f"(ite {args[0]} {args[1]} {args[2]})"
        case Op.SATURATE:
            return _clipped(args[0], form.low, form.high)
        case Op.MULTIPLY:
            lost = f"(bvand (bvashr p {number(BITS - 1)}) {number((1 << bits) - 1)})"
            shifted = f"(bvashr (bvadd p {lost}) {number(bits)})"
            return f"(let ((p (bvmul {args[0]} {args[1]}))) {shifted})"
        case Op.LOOKUP:
            table = neuron.tables[node.name]
            if cell.number is not None and _is_x(neuron.graph.nodes[node.args[0]]):
                return number(int(table.values[cell.number]))
            return _looked_up(table, args[0])
    raise ValueError(f"{node.op} is no operation of integers")


def _clipped(value: str, low: int, high: int) -> str:
    below = f"(ite (bvslt {value} {number(low)}) {number(low)} {value})"
    return f"(ite (bvsgt {value} {number(high)}) {number(high)} {below})"


def _looked_up(table: LookupTable, value: str) -> str:
    """values[(clip(x) - low) >> shift], as a tree over the bits of the cell's number."""
    inside = _clipped(value, table.low, table.high)
    bits = width((0, table.values.size - 1)) - 1
    index = f"(bvashr (bvsub {inside} {number(table.low)}) {number(table.shift)})"

    def tree(first: int, bit: int) -> str:
        if bit < 0:
            return number(int(table.values[first]))
        high = tree(first + (1 << bit), bit - 1)
        return f"(ite (= ((_ extract {bit} {bit}) k) #b1) {high} {tree(first, bit - 1)})"

    return f"(let ((k {index})) {tree(0, bits - 1)})"
