"""Sums of projections, pixel by pixel: the add functions of a network and the memory they need."""

from math import prod

from arlif.core.maps import LinearMap, Shape, Window
from arlif.core.network import INPUT
from arlif.core.nodes import Projection
from export.c.add_functions import AddFunction
from export.c.c_types import narrowest, pixel, sides, size
from export.c.program import Plan, Program, pixels


class Adding:
    """Prints add functions into a program; the scratch memory of one node at a time."""

    def __init__(self, plan: Plan, program: Program) -> None:
        self.plan, self.program, self.network = plan, program, plan.network
        self.members: dict[str, list[str]] = {}
        self.bytes: dict[str, int] = {}

    def close(self) -> None:
        """Put the scratch memory into the struct."""
        parts = [
            f"struct {{ {' '.join(lines)} }} {label};" for label, lines in self.members.items()
        ]
        if parts:
            self.program.fields += ["union {", *(f"    {part}" for part in parts)]
            self.program.fields.append("} scratch; /* of one population at a time */")
            self.program.memory["scratch"] = max(self.bytes.values())

    def of(self, projections: list[Projection], kind: str) -> tuple[list[str], list[str]]:
        """Calls that come first, and those that add one pixel to `sums`, of projections to a node.

        kind: the type of the sums.
        """
        stages, adds = [], []
        for projection in projections:
            stage, add = self._projection(projection, kind)
            stages += stage
            adds += add
        return stages, adds

    def is_kept(self, name: str) -> bool:
        """Whether what a node sent at earlier steps is needed."""
        static = name == INPUT and self.network.input.static
        return self.plan.waits(name) > 0 and not static

    def source(self, name: str, delay: int = 0) -> str:
        """The expression of what a node sent `delay` steps ago."""
        label = self.plan.label(name)
        array = f"n->{label}" if name == INPUT else f"n->spikes_{label}"
        if not self.is_kept(name):
            return array
        now = f"n->now_{label}"
        if not delay:
            return f"{array}[{now}]"
        back = self.plan.waits(name) + 1 - delay
        return f"{array}[({now} >= {delay}) ? ({now} - {delay}) : ({now} + {back})]"

    def _projection(self, projection: Projection, kind: str) -> tuple[list[str], list[str]]:
        """Calls that come first, and those that add one pixel to the sums."""
        number, target = self.plan.number(projection), self.plan.label(projection.target)
        shape = self.network.shape(projection.source)
        interval = self.network.source_interval(projection.source)
        source, values = (
            self.source(projection.source, projection.delay),
            self.plan.value_type(projection.source),
        )
        stages = []
        before: tuple[LinearMap | Window, ...] = (*projection.pools, *projection.maps[:-1])
        for place, linear in enumerate(before):
            stage = f"stage{number}_{place}"
            shape_after = _output_shape(linear, shape)
            reach = interval if isinstance(linear, Window) else linear.output_interval(interval)
            self.scratch(target, narrowest(reach), stage, prod(shape_after))
            self._stage(stage, linear, shape, (values, narrowest(reach)))
            stages.append(f"{stage}(n->scratch.{target}.{stage}, {source});")
            source, values = f"n->scratch.{target}.{stage}", narrowest(reach)
            shape, interval = shape_after, reach
        last = projection.maps[-1] if projection.maps else None
        self.program.functions += [
            *AddFunction(f"add{number}", last, shape, values, kind, projection.shift).lines(
                self.program.constants
            ),
            "",
        ]
        call = f"add{number}(sums, {source}, row, column);"
        waits = projection.source == INPUT and self.network.input.static and projection.delay
        if waits:
            return stages, [f"if (n->step >= {waits}) {{", f"    {call}", "}"]
        return stages, [call]

    def _stage(
        self, name: str, linear: LinearMap | Window, shape: Shape, types: tuple[str, str]
    ) -> None:
        """A function that computes a whole map into memory."""
        values, kind = types
        after = _output_shape(linear, shape)
        count, _, width = sides(after)
        self.program.functions += [
            *AddFunction(f"{name}_add", linear, shape, values, kind).lines(self.program.constants),
            "",
        ]
        body = [
            f"{kind} *const sums = &to[{pixel('row', 'column', width, count)}];",
            f"for (int32_t c = 0; c < {count}; c++) {{",
            "    sums[c] = 0;",
            "}",
            f"{name}_add(sums, from, row, column);",
        ]
        self.program.function(f"{name}({kind} *to, const {values} *from)", pixels(after, body))

    def scratch(self, label: str, kind: str, name: str, count: int) -> None:
        """An array of a node's scratch memory."""
        lines = self.members.setdefault(label, [])
        line = f"{kind} {name}[{count}];"
        if line not in lines:
            lines.append(line)
            before = self.bytes.get(label, 0)
            self.bytes[label] = before + size(kind) * count


def _output_shape(linear: LinearMap | Window, shape: Shape) -> Shape:
    if isinstance(linear, Window):
        return (shape[0], *linear.output_size(shape))
    return linear.output_shape(shape)
