"""A netlist as a Verilog module: logic, or a pipeline with registers where `cuts` say.

A wire gets the stage of its latest argument; a register follows each part of `cuts`; what crosses a
stage is carried along.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from arlif.core.ranges import width
from export.verilog.netlist import Netlist, Part, Wire
from export.verilog.spelling import extended, literal

FAST = frozenset((Part.MUL, Part.ADD, Part.SUB, Part.LOOKUP, Part.SHIFT, Part.CLIP))
"""A register after everything that carries or reads: the highest clock."""
LOGIC: frozenset[Part] = frozenset()
"""No register at all."""
LOGIC_STYLE = '(* ram_style = "logic", rom_style = "logic" *) '
"""What asks yosys for a memory of logic."""
OPERATORS = {Part.ADD: "+", Part.SUB: "-", Part.MUL: "*"}


@dataclass
class Pipeline:
    """A module under way. arrives: the stage at which inputs come, by name; others come at 0."""

    name: str
    netlist: Netlist
    cuts: Collection[Part] = LOGIC
    arrives: Mapping[str, int] = field(default_factory=dict)
    stage: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    registers: dict[str, tuple[int, str]] = field(default_factory=dict)
    roms: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place in self.netlist.needed():
            wire = self.netlist.wires[place]
            if wire.part is Part.INPUT:
                self.names[place] = str(wire.data)
                self.stage[place] = self.arrives.get(str(wire.data), 0)
            elif not wire.constant:
                self._emit(place, wire)
        outputs = self.netlist.outputs.values()
        self.latency = max(self.stage.get(place, 0) for place in outputs)
        self.results = {
            name: self._at(place, self.latency) for name, place in self.netlist.outputs.items()
        }

    def text(self, logic: Collection[str] = ()) -> str:
        """The module. logic: titles of tables that are logic in place of block memory."""
        wires = self.netlist.wires
        ports = ["input wire clk"] if self.registers else []
        ports += [
            f"input wire signed [{wires[place].bits - 1}:0] {name}"
            for name, place in self.netlist.inputs.items()
        ]
        ports += [
            f"output wire signed [{wires[place].bits - 1}:0] {name}"
            for name, place in self.netlist.outputs.items()
        ]
        known = {**self.netlist.inputs, **self.netlist.outputs}
        ranges = [f"//   {n} in {list(self.netlist.interval(place))}" for n, place in known.items()]
        clocked = [f"    {name} <= {value};" for name, (_, value) in self.registers.items()]
        return "\n".join(
            [
                f"// Latency {self.latency}. Proven:",
                *ranges,
                "/* verilator lint_off UNUSED */",
                f"module {self.name} (",
                ",\n".join(f"    {port}" for port in ports),
                ");",
                *(line for title in self.roms for line in self._rom(title, title in logic)),
                *(f"  reg signed [{bits - 1}:0] {n};" for n, (bits, _) in self.registers.items()),
                *self.lines,
                *(["  always @(posedge clk) begin", *clocked, "  end"] if clocked else []),
                *(f"  assign {name} = {result};" for name, result in self.results.items()),
                "endmodule",
                "/* verilator lint_on UNUSED */",
                "",
            ]
        )

    def _rom(self, title: str, logic: bool) -> list[str]:
        """A table: its cells, the last one repeated up to a power of two."""
        cells = self.netlist.tables[title]
        bits = width((min(cells), max(cells)))
        size = 1 << address_bits(len(cells))
        name = self.roms[title]
        whole = [*cells, *[cells[-1]] * (size - len(cells))]
        return [
            f"  // Table {title.rsplit(':', 2)[0]}",
            f"  {LOGIC_STYLE * logic}reg signed [{bits - 1}:0] {name}[0:{size - 1}];",
            "  initial begin",
            *(f"    {name}[{n}] = {literal(cell, bits)};" for n, cell in enumerate(whole)),
            "  end",
        ]

    def _at(self, place: int, stage: int, bits: int | None = None) -> str:
        """What a wire was, at a stage, as wide as `bits` say."""
        wire = self.netlist.wires[place]
        wanted = wire.bits if bits is None else bits
        if wire.constant:
            return literal(wire.interval[0], wanted)
        name = self.names[place]
        for k in range(self.stage[place] + 1, stage + 1):
            late = f"{self.names[place]}_d{k}"
            self.registers.setdefault(late, (wire.bits, name))
            name = late
        return extended(name, wire.bits, wanted)

    def _emit(self, place: int, wire: Wire) -> None:
        stage = max((self.stage[arg] for arg in wire.args if arg in self.stage), default=0)
        name, bits = f"v{place}", wire.bits
        self.names[place], self.stage[place] = name, stage
        value = self._value(place, wire, stage)
        if wire.part is Part.LOOKUP and wire.part in self.cuts:  # a synchronous memory
            self.registers[name] = (bits, value)
            self.stage[place] = stage + 1
            return
        self.lines.append(f"  wire signed [{bits - 1}:0] {name} = {value};")
        if wire.part in self.cuts:
            self.names[place], self.stage[place] = f"{name}_q", stage + 1
            self.registers[f"{name}_q"] = (bits, name)

    def _value(self, place: int, wire: Wire, stage: int) -> str:
        """The expression of a wire; all of its arguments stand at `stage`."""
        first = self.netlist.wires[wire.args[0]]
        bits, wide = wire.bits, first.bits
        match wire.part:
            case Part.ADD | Part.SUB | Part.MUL:
                a, b = (self._at(arg, stage, bits) for arg in wire.args)
                return f"{a} {OPERATORS[wire.part]} {b}"
            case Part.NEG:
                return f"-{self._at(wire.args[0], stage, bits)}"
            case Part.GE:
                both = max(self.netlist.wires[arg].bits for arg in wire.args)
                a, b = (self._at(arg, stage, both) for arg in wire.args)
                return f"{a} >= {b}"
            case Part.CHOOSE:
                condition = self._at(wire.args[0], stage)
                a, b = (self._at(arg, stage, bits) for arg in wire.args[1:])
                return f"{condition} ? {a} : {b}"
            case Part.CLIP:
                return self._clipped(wire, first, self._at(wire.args[0], stage))
            case Part.SHIFT:
                return self._shifted(wire, first, self._at(wire.args[0], stage))
            case Part.INDEX:
                (start, shift), cells = map(int, wire.data), wire.interval[1] + 1
                away = shift + address_bits(int(cells))
                offset = f"v{place}_o"
                x = self._at(wire.args[0], stage, away)
                origin = literal(start % (1 << away), away)
                self.lines.append(f"  wire [{away - 1}:0] {offset} = {x} - {origin};")
                return f"$signed({{1'b0, {offset}[{away - 1}:{shift}]}})"
        assert wire.part is Part.LOOKUP, f"{wire.part} has no expression"
        rom = self.roms.setdefault(str(wire.data), f"rom{len(self.roms)}")
        index = self._at(wire.args[0], stage)
        return f"{rom}[{index}[{wide - 2}:0]]"

    def _clipped(self, wire: Wire, first: Wire, name: str) -> str:
        low, high = wire.interval
        value = extended(name, first.bits, wire.bits)
        if first.interval[1] > high:
            top = literal(high, first.bits)
            value = f"{name} > {top} ? {literal(high, wire.bits)} : {value}"
        if first.interval[0] < low:
            bottom = literal(low, first.bits)
            value = f"{name} < {bottom} ? {literal(low, wire.bits)} : {value}"
        return value

    def _shifted(self, wire: Wire, first: Wire, name: str) -> str:
        """The floor, and one more where bits of a negative number are lost."""
        shift, top = int(wire.data[0]), first.bits - 1
        kept = extended(f"{name}[{top}:{shift}]", first.bits - shift, wire.bits)
        if first.interval[0] >= 0:
            return kept
        carry = f"{name}[{top}] & (|{name}[{shift - 1}:0])"
        zeros = f"{{{wire.bits - 1}{{1'b0}}}}, " if wire.bits > 1 else ""
        return f"{kept} + $signed({{{zeros}{carry}}})"


def address_bits(words: int) -> int:
    """Bits of an address of so many words, at least 1."""
    return max(1, (words - 1).bit_length())
