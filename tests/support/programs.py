"""Random steps of few operations: neurons that nobody has thought of."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from arlif.core.neuron import Neuron, constant, learned

STATE, FACTOR, CONDITION, SPIKES = "state", "factor", "condition", "spikes"
NUMBERS = (0.5, 1.0, 2.0)
"""What stands in a step as it is, beside 0; raw integers of every format with a digit."""

Line = tuple[str, tuple[Any, ...]]
"""An operation, and its arguments: places of lines before it, or what it names."""


@dataclass(frozen=True)
class Program:
    """Lines one after another; the step's results are some of them."""

    lines: tuple[Line, ...]
    spikes: int
    after: tuple[int, int]

    def run(
        self,
        ops: Any,
        neuron: Any,
        state: Any,
        x: Any,
        number: Callable[[str, float], Any] = lambda unit, value: value,
    ) -> tuple[Any, tuple[Any, Any]]:
        """Every line done by `ops`, as they stand; `number` says what a number is in a unit."""
        values: list[Any] = []
        for name, args in self.lines:
            match name:
                case "x":
                    values.append(x)
                case "input":
                    values.append(state[args[0]])
                case "constant":
                    values.append(getattr(neuron, args[0]))
                case "number":
                    values.append(number(*args))
                case "lookup":
                    values.append(ops.lookup(getattr(neuron, args[0]), values[args[1]]))
                case _:
                    values.append(DO[name](ops, *(values[arg] for arg in args)))
        return values[self.spikes], (values[self.after[0]], values[self.after[1]])


DO: dict[str, Callable[..., Any]] = {
    "add": lambda ops, a, b: a + b,
    "sub": lambda ops, a, b: a - b,
    "neg": lambda ops, a: -a,
    "ge": lambda ops, a, b: a >= b,
    "le": lambda ops, a, b: a <= b,
    "multiply": lambda ops, a, b: ops.multiply(a, b),
    "saturate": lambda ops, a: ops.saturate(a),
    "where": lambda ops, c, a, b: ops.where(c, a, b),
    "fire": lambda ops, a, b: ops.fire(a, b),
    "select": lambda ops, c, a, b: ops.select(c, a, b),
}
TAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "add": ((STATE, STATE), STATE),
    "sub": ((STATE, STATE), STATE),
    "neg": ((STATE,), STATE),
    "ge": ((STATE, STATE), CONDITION),
    "le": ((STATE, STATE), CONDITION),
    "multiply": ((STATE, FACTOR), STATE),
    "saturate": ((STATE,), STATE),
    "where": ((CONDITION, STATE, STATE), STATE),
    "fire": ((STATE, STATE), SPIKES),
    "select": ((SPIKES, STATE, STATE), STATE),
    "less": ((FACTOR, FACTOR), FACTOR),
    "choice": ((CONDITION, FACTOR, FACTOR), FACTOR),
}
SPELLED = {"less": "sub", "choice": "where"}
VARYING = {"ge", "le", "multiply", "saturate", "where", "fire", "select", "choice"}
"""Operations that need a value that varies: on constants alone they are refused, or rounded."""


class RandomNeuron(Neuron):
    """A neuron whose step is a program."""

    state = ("u", "v")
    k: Any = learned(0.5)
    g: Any = learned(-0.25)
    a: Any = learned(1.0)
    b: Any = constant(-0.5)
    program: Any = None

    def f(self, ops, x):
        return self.a + ops.tanh(self.k * x)

    def gate(self, ops, x):
        return ops.sigmoid(x - self.b)

    def step(self, ops, state, x):
        return self.program.run(ops, self, state, x)


@dataclass
class _Draft:
    """A program under way: lines, their units, and whether they vary."""

    lines: list[Line] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    varies: list[bool] = field(default_factory=list)

    def add(self, unit: str, varies: bool, name: str, *args: Any) -> int:
        self.lines.append((name, args))
        self.units.append(unit)
        self.varies.append(varies)
        return len(self.lines) - 1

    def of(self, unit: str, varying: bool = False) -> list[int]:
        places = range(len(self.lines))
        return [n for n in places if self.units[n] == unit and (self.varies[n] or not varying)]


@st.composite
def programs(draw: st.DrawFn, most: int = 12) -> Program:
    """A step that integers have: its units agree, and its ends are saturated."""
    draft = _Draft()
    draft.add(STATE, True, "x")
    for index in range(2):
        draft.add(STATE, True, "input", index)
    for name, unit in (("a", STATE), ("b", STATE), ("k", FACTOR), ("g", FACTOR)):
        draft.add(unit, False, "constant", name)
    for unit, numbers in ((STATE, (0, *NUMBERS)), (FACTOR, NUMBERS)):
        draft.add(unit, False, "number", unit, draw(st.sampled_from(numbers)))

    def line(name: str) -> int:
        if name in ("f", "gate"):
            argument = draw(st.sampled_from(draft.of(STATE, varying=True)))
            return draft.add(STATE if name == "f" else FACTOR, True, "lookup", name, argument)
        units, unit = TAKES[name]
        drawn = [draw(st.sampled_from(draft.of(wanted))) for wanted in units]
        if name in VARYING and not any(draft.varies[n] for n in drawn):
            drawn[0] = draw(st.sampled_from(draft.of(STATE, varying=True)))
        varies = any(draft.varies[n] for n in drawn) and not (
            unit in (STATE, FACTOR) and len(drawn) == 3 and drawn[1] == drawn[2]
        )
        return draft.add(unit, varies, SPELLED.get(name, name), *drawn)

    for _ in range(draw(st.integers(1, most))):
        possible = [n for n, (units, _) in TAKES.items() if all(draft.of(unit) for unit in units)]
        line(draw(st.sampled_from((*possible, "f", "gate"))))
    spikes = draft.of(SPIKES)
    place = draw(st.sampled_from(spikes)) if spikes else line("fire")
    after = (line("saturate"), line("saturate"))
    return Program(tuple(draft.lines), place, after)
