"""Proof that printed hardware is the specification: yosys reads the Verilog, Bitwuzla decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

from arlif.base.ctrl_c import beside
from arlif.base.errors import SimulationError, require
from arlif.base.scratch import scratch
from arlif.core.graph import CURRENT
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.proven_ranges import NeuronRanges
from export.smt import Cell, Port, cells, question
from export.verilog.netlist import CONSTANT, SPIKE, Netlist, after, before, neuron_netlist
from export.verilog.pipeline import LOGIC, Pipeline
from hw_sim.engines.deployed.toolchain import BITWUZLA, YOSYS, run_tool

TIME_LIMIT_MS = 600_000
"""For one cell."""
SYNTHESIS = (
    "read_verilog neuron.v; hierarchy -top neuron; proc; memory_map; opt -full; flatten; "
    "opt -full; write_smt2 -bv neuron.smt2"
)


@dataclass(frozen=True)
class Verdict:
    """Of one cell. found: x and states where hardware differs; None where it never does."""

    cell: Cell
    found: dict[str, int] | None


@dataclass(frozen=True)
class Hardware:
    """A neuron as logic: its Verilog, and its ports by what they mean."""

    text: str
    ports: dict[str, Port]


def hardware(neuron: IntegerNeuron, ranges: NeuronRanges) -> Hardware:
    """The printed logic of a neuron."""
    netlist = neuron_netlist(neuron, ranges)
    text = Pipeline("neuron", netlist, LOGIC).text()
    meanings = {CURRENT: CURRENT, **{before(state): state for state in neuron.variables}}
    meanings |= {
        name: f"constant {name.removeprefix(CONSTANT)}"
        for name in netlist.inputs
        if name.startswith(CONSTANT)
    }
    ports = {meanings[name]: _port(netlist, name, n) for name, n in netlist.inputs.items()}
    results = {SPIKE: SPIKE, **{after(state): f"after {state}" for state in neuron.variables}}
    ports |= {results[name]: _port(netlist, name, n) for name, n in netlist.outputs.items()}
    return Hardware(text, ports)


def _port(netlist: Netlist, name: str, place: int) -> Port:
    wire = netlist.wires[place]
    return Port(name, wire.bits, wire.interval)


def chosen(neuron: IntegerNeuron, ranges: NeuronRanges, count: int) -> list[Cell]:
    """`count` of the cells of a neuron, spread evenly, the first and the last among them."""
    every = cells(neuron, ranges)
    if count >= len(every):
        return every
    last = len(every) - 1
    return [every[round(k * last / max(1, count - 1))] for k in range(count)]


def proven(
    neuron: IntegerNeuron, ranges: NeuronRanges, printed: Hardware, asked: Sequence[Cell]
) -> list[Verdict]:
    """Whether printed logic is a neuron's step, for every current of the cells and every state.

    Raises SimulationError where a tool is missing, or where a cell takes too long.
    """
    yosys = YOSYS.require()
    BITWUZLA.require()
    with scratch() as folder:
        (folder / "neuron.v").write_text(printed.text, encoding="utf-8")
        run_tool([*yosys, "-q", "-p", SYNTHESIS], folder)
        logic = (folder / "neuron.smt2").read_text(encoding="utf-8")
    return [
        Verdict(cell, decided(question(neuron, ranges, cell, logic, printed.ports)))
        for cell in asked
    ]


def decided(text: str) -> dict[str, int] | None:
    """A solution of SMT-LIB: its inputs, "|i NAME|", by name; None where there is none."""
    import bitwuzla

    manager, options = bitwuzla.TermManager(), bitwuzla.Options()
    options.set(bitwuzla.Option.PRODUCE_MODELS, True)
    options.set(bitwuzla.Option.TIME_LIMIT_PER, TIME_LIMIT_MS)
    parser = bitwuzla.Parser(manager, options)
    parser.parse(text, True, False)
    solver, stopped = parser.bitwuzla(), Event()
    solver.configure_terminator(stopped.is_set)
    result = beside(solver.check_sat, stopped.set)
    require(
        result != bitwuzla.Result.UNKNOWN,
        f"the solver needs more than {TIME_LIMIT_MS / 1000:g} s for one cell",
        SimulationError,
    )
    if result == bitwuzla.Result.UNSAT:
        return None
    found = {}
    for term in parser.get_declared_funs():
        title = str(term.symbol()).strip("|")
        if title.startswith("i "):
            bits = str(solver.get_value(term).value(2))
            value = int(bits, 2)
            found[title[2:]] = value - (1 << len(bits)) if bits[0] == "1" else value
    return found
