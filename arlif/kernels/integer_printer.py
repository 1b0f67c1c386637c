"""Integer neurons as C++, printed from their graphs for the loops of integer_update.cpp.

A printed neuron is written in the arithmetic of integer_lanes.h. Nothing that a graph holds as text
is printed: constants and tables are read by number, and their values when the kernel runs.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from arlif.core.graph import CURRENT, Graph, Op, dependencies, needed


@dataclass(frozen=True)
class IntegerKernel:
    """What one compiled kernel computes.

    graph: a step in integers. per_neuron: whether every neuron has constants of its own, in rows
    as x has; else there is one of each for the layer.
    """

    graph: Graph
    per_neuron: bool = False

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """The constants in the order that the kernel numbers them."""
        return self.graph.parameters()

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Tables in the order that the kernel numbers them."""
        names = (node.name for node in self.graph.nodes if node.op is Op.LOOKUP)
        return tuple(dict.fromkeys(names))

    @cached_property
    def joined(self) -> tuple[tuple[str, ...], ...]:
        """Tables that are read together, at one index, where they have the same cells."""
        read: dict[int, list[str]] = {}
        for node in self.graph.nodes:
            if node.op is Op.LOOKUP:
                read.setdefault(node.args[0], []).append(node.name)
        groups = [tuple(names) for names in read.values() if len(names) > 1]
        uses = [node.name for node in self.graph.nodes if node.op is Op.LOOKUP]
        return tuple(group for group in groups if all(uses.count(name) == 1 for name in group))


def saturated_sums(graph: Graph) -> frozenset[int]:
    """Sums that only saturate reads: whether they saturate by themselves makes no difference."""
    read: dict[int, set[Op]] = {place: {Op.LOOKUP} for place in (graph.spikes, *graph.after)}
    for node in graph.nodes:
        for arg in node.args:
            read.setdefault(arg, set()).add(node.op)
    return frozenset(
        place
        for place, node in enumerate(graph.nodes)
        if node.op in (Op.ADD, Op.SUB) and read.get(place) == {Op.SATURATE}
    )


def printed(kernels: Sequence[IntegerKernel]) -> str:
    """The header that integer_update.cpp includes: the neurons by number."""
    cases = [f"  case {n}: return run(Neuron{n}{{}});" for n in range(len(kernels))]
    neurons = [_Printer(kernel).neuron(number) for number, kernel in enumerate(kernels)]
    choose = [
        "template <class Run> void with_neuron(int64_t number, Run run) {",
        "  switch (number) {",
        *cases,
        "  }",
        "}",
    ]
    return "\n".join([*neurons, *choose, ""])


class _Printer:
    """One neuron."""

    def __init__(self, kernel: IntegerKernel) -> None:
        self.kernel, self.graph = kernel, kernel.graph
        self.within = saturated_sums(self.graph)
        self.of_x = [inputs == {CURRENT} for inputs in dependencies(self.graph)]
        self.results = (self.graph.spikes, *self.graph.after)
        self.derived = [place for place in self._step_needs() if self._is_dear(place)]
        self.group = {name: number for number, names in enumerate(kernel.joined) for name in names}

    def neuron(self, number: int) -> str:
        """The struct of a neuron."""
        kernel, graph = self.kernel, self.graph
        x = self._input(CURRENT)
        derive = [
            *self._body(self.derived, {x: "x[i]"}),
            *(f"s.store(rows + {k} * S::tile + i, v{n});" for k, n in enumerate(self.derived)),
        ]
        given = {x: "x[i]"} | {n: f"rows[{k} * S::tile + i]" for k, n in enumerate(self.derived)}
        given |= {self._input(v): f"now[{k} * S::tile + i]" for k, v in enumerate(graph.states)}
        step = [
            *self._body(self.results, given),
            *(f"s.store(now + {k} * S::tile + i, v{n});" for k, n in enumerate(graph.after)),
            f"s.store(fired + i, v{graph.spikes});",
        ]
        rows = "const typename S::Lane *varying, const typename S::Lane *x"
        state = "const typename S::Lane *rows, typename S::Lane *now, typename S::Lane *fired"
        return "\n".join(
            [
                f"struct Neuron{number} {{",
                f"  static constexpr int states = {len(graph.states)}, rows = {len(self.derived)};",
                f"  static constexpr int varying = {len(kernel.constants) * kernel.per_neuron};",
                f"  static constexpr int tables = {len(kernel.tables)};",
                f"  static constexpr bool joins = {str(bool(kernel.joined)).lower()};",
                *(
                    self._loop("derive", f"{rows}, typename S::Lane *rows", derive)
                    if derive
                    else ()
                ),
                *self._loop("step", f"{rows}, {state}", step),
                "};",
            ]
        )

    def _loop(self, name: str, arguments: str, body: list[str]) -> Iterator[str]:
        """A function that runs `body` for every vector of a tile."""
        text = "\n".join(body)
        yield "  template <class S>"
        yield f"  static void {name}(const S s, int64_t count, {arguments}) {{"
        for letter, kind in ("c", "constant"), ("f", "factor"), ("t", "table"):
            for k in sorted({int(k) for k in re.findall(rf"\b{letter}(\d+)\b", text)}):
                yield f"    const auto {letter}{k} = s.{kind}({k});"
        yield "#pragma GCC ivdep"
        yield "    for (int64_t i = 0; i < count; i += S::lanes) {"
        yield from (f"      {line}" for line in body)
        yield "    }"
        yield "  }"

    def _input(self, name: str) -> int:
        nodes = self.graph.nodes
        return next(n for n, node in enumerate(nodes) if node.op is Op.INPUT and node.name == name)

    def _is_dear(self, place: int) -> bool:
        """Whether a value is computed from x once, where x stays the same, and kept in a row."""
        return self.of_x[place] and self.graph.nodes[place].op in (Op.LOOKUP, Op.MULTIPLY)

    def _step_needs(self) -> list[int]:
        dear = frozenset(n for n in range(len(self.graph.nodes)) if self._is_dear(n))
        return needed(self.graph, self.results, dear)

    def _body(self, results: Sequence[int], given: dict[int, str]) -> Iterator[str]:
        """The statements that compute `results`, in order; `given` values lie in memory."""
        found: set[int] = set()
        for place in needed(self.graph, results, frozenset(given)):
            node = self.graph.nodes[place]
            if node.op is Op.LOOKUP and place not in given and node.name in self.group:
                group = self.group[node.name]
                if group not in found:
                    found.add(group)
                    first = self._table(self.kernel.joined[group][0])
                    yield f"const auto e{group} = s.entry({first}, v{node.args[0]});"
                text = f"s.field({self._table(node.name)}, e{group})"
            else:
                text = f"s.load(&{given[place]})" if place in given else self._value(place)
            yield f"const auto v{place} = {text};"

    def _value(self, place: int) -> str:
        """A node as an expression of the values before it."""
        node, kernel = self.graph.nodes[place], self.kernel
        args = [f"v{arg}" for arg in node.args]
        match node.op:
            case Op.NUMBER:
                return f"s.number({int(node.number)})"
            case Op.PARAMETER:
                number = kernel.constants.index(node.name)
                row = f"s.load(&varying[{number} * S::tile + i])"
                return row if kernel.per_neuron else f"c{number}"
            case Op.ADD | Op.SUB:
                verb = "plus" if node.op is Op.ADD else "minus"
                within = "_within" if place in self.within else ""
                return f"s.{verb}{within}({args[0]}, {args[1]})"
            case Op.NEG:
                return f"s.minus(s.number(0), {args[0]})"
            case Op.GE | Op.FIRE:
                return f"s.reaches({args[0]}, {args[1]})"
            case Op.WHERE | Op.SELECT:
                return self._choice(*node.args)
            case Op.SATURATE:
                return f"s.saturate({args[0]})"
            case Op.MULTIPLY:
                factor = self.graph.nodes[node.args[1]]
                if factor.op is Op.PARAMETER and not kernel.per_neuron:
                    return f"s.scaled({args[0]}, f{kernel.constants.index(factor.name)})"
                return f"s.multiply({args[0]}, {args[1]})"
        return f"s.lookup({self._table(node.name)}, {args[0]})"

    def _choice(self, condition: int, a: int, b: int) -> str:
        """A value where a condition holds, else another one: cheap where one is 0 or -a."""
        left, right = self.graph.nodes[a], self.graph.nodes[b]
        if right.op is Op.NEG and right.args == (a,):
            return f"s.flip(v{condition}, v{a})"
        if right.op is Op.NUMBER and right.number == 0:
            return f"s.only(v{condition}, v{a})"
        if left.op is Op.NUMBER and left.number == 0:
            return f"s.unless(v{condition}, v{b})"
        return f"s.choose(v{condition}, v{a}, v{b})"

    def _table(self, name: str) -> str:
        return f"t{self.kernel.tables.index(name)}"
