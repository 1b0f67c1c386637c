"""Random steps in integers for property tests (hypothesis): any operations in any order."""

from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from arlif.base.errors import NetworkError
from arlif.core.formats import FixedPointFormat
from arlif.core.graph import Graph, Op
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.maps import Shape
from arlif.core.tables import LookupTable
from arlif.core.trace import Recording, Symbol, recorded

STATES = ("u", "v", "w")
TABLES = ("one", "two")
"""State values by name, and with "_factor" behind it factors."""


@st.composite
def graph_neurons(draw: st.DrawFn, shape: Shape) -> IntegerNeuron:
    """A neuron of one to three states whose step does up to 16 operations of any kind."""
    graph = draw(graphs())
    bits = draw(st.sampled_from((5, 8, 14, 16, 16, 16, 20, 26)))
    state = FixedPointFormat(bits, draw(st.integers(0, bits - 1)))
    factor_bits = draw(st.sampled_from((1, 4, 8, 8, 12, 15, 16)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    one, negative = 1 << factor_bits, draw(st.sampled_from((0, 0, 1)))
    spread = draw(st.booleans())

    def some(name: str, size: Any) -> Any:
        reach = draw(st.sampled_from((state.high, state.high // 4)))
        low, high = (-negative * one, one) if "factor" in name else (-reach - 1, reach)
        ends = rng.choice([low, 0, high], size)
        return np.where(rng.random(size) < 0.3, ends, rng.integers(low, high + 1, size))

    def number(name: str) -> Any:
        if not spread or rng.random() < 0.3:
            return int(some(name, ()))
        held = shape if rng.random() < 0.5 else (shape[0], *(1 for _ in shape[1:]))
        return some(name, held).astype(np.int32)

    read = {node.name for node in graph.nodes if node.op is Op.LOOKUP}
    cells = [
        (draw(st.sampled_from((16, 64, 256, 512))), draw(st.integers(0, 12)), state.low // part)
        for part in draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
    ]
    tables = {}
    for name in sorted(read):
        entries, shift, low = draw(st.sampled_from(cells))
        tables[name] = LookupTable(some(name, entries).astype(np.int32), low, shift)
    constants = {name: number(name) for name in graph.parameters()}
    try:
        return IntegerNeuron("Random", graph, state, factor_bits, constants, tables)
    except NetworkError:
        assume(False)
        raise


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A step in integers."""
    recording, states = Recording(), STATES[: draw(st.integers(1, 3))]

    def any_of(found: list[Symbol]) -> Symbol:
        return draw(st.sampled_from(found))

    def step(ops: Any, state: tuple[Symbol, ...], x: Symbol) -> tuple[Any, list[Any]]:
        values, fixed, conditions = [x, *state], [recording.symbol(0)], []
        factors, fixed_factor = [], recording.parameter("factor")
        for _ in range(draw(st.integers(1, 16))):
            a, b = any_of(values), any_of([*values, *fixed])
            f = any_of([*factors, fixed_factor])
            match draw(st.sampled_from(OPERATIONS)):
                case "add":
                    values.append(a + b)
                case "sub":
                    values.append(draw(st.sampled_from((a - b, b - a))))
                case "neg":
                    values.append(-a)
                case "saturate":
                    values.append(ops.saturate(a))
                case "multiply":
                    values.append(ops.multiply(a, f))
                case "lookup":
                    name = draw(st.sampled_from(TABLES))
                    values.append(recording.add(Op.LOOKUP, a, name=name))
                case "lookup factor":
                    name = draw(st.sampled_from(TABLES)) + "_factor"
                    factors.append(recording.add(Op.LOOKUP, a, name=name))
                case "two lookups":
                    values.append(recording.add(Op.LOOKUP, a, name="pair"))
                    factors.append(recording.add(Op.LOOKUP, a, name="pair_factor"))
                case "other factor" if factors:
                    factors.append(recording.parameter("one factor") - any_of(factors))
                case "constant":
                    fixed.append(recording.parameter(draw(st.sampled_from(("low", "high")))))
                case "compare":
                    conditions.append(a >= b)
                case "select":
                    values.append(ops.select(ops.fire(a, b), any_of(values), b))
                case "where" if conditions:
                    values.append(ops.where(any_of(conditions), a, b))
                case "where factor" if conditions and factors:
                    other = any_of(factors)
                    factors.append(ops.where(any_of(conditions), f, other))
        x_or_more = values[-1] + x
        s = ops.fire(ops.saturate(x_or_more), any_of([*values, *fixed]))
        after = [ops.saturate(any_of(values) + value) for value in state]
        return s, [ops.select(s, any_of([*state, fixed[0]]), n) for n in after]

    return recorded(recording, states, step)


OPERATIONS = (
    *("add", "sub", "neg", "saturate", "multiply", "lookup", "lookup factor", "other factor"),
    *("two lookups", "multiply", "constant", "compare", "select", "where", "where factor"),
)
