"""What integers make of a step: units from use, tables, constants, and what they cannot do."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.programs import RandomNeuron, programs
from support.user_neurons import Adaptive

from arlif.base.errors import LoweringError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_form import Rounding, integer_form
from arlif.core.integer_neurons import IntegerNeuron, Numbers
from arlif.core.neuron import Neuron, constant, traced
from arlif.core.real_neurons import (
    NumpyRealOps,
    RealArlif,
    RealClif,
    RealCuba,
    RealLifHard,
    RealLifSoft,
    RealLifSubtract,
    RealLifWeighted,
)
from arlif.core.units import Unit, integer_units
from arlif.quantize.neuron_constants import to_integer

S, F = Unit.STATE, Unit.FACTOR
UNITS: dict[str, tuple[Neuron, dict[str, Unit], dict[str, Unit]]] = {
    "arlif": (
        RealArlif(),
        {"decay": F, "1": F},
        {"threshold": S, "gate": F, "drive": S, "reset": S},
    ),
    "arlif without memory": (
        RealArlif(memory=False),
        {"decay": F},
        {"threshold": S, "drive": S, "reset": S},
    ),
    "soft": (RealLifSoft(), {"decay": F, "threshold": S}, {}),
    "hard": (RealLifHard(), {"decay": F, "threshold": S}, {}),
    "subtract": (
        RealLifSubtract(),
        {"decay": F, "threshold": S, "threshold + hold": S, "amount": S},
        {},
    ),
    "weighted": (RealLifWeighted(), {"decay": F, "gain": F, "threshold": S}, {}),
    "clif": (RealClif(), {"decay": F, "threshold": S, "1": S}, {"gate": F, "reset": S}),
    "cuba": (
        RealCuba(),
        {"current_decay": F, "decay": F}
        | dict.fromkeys(("threshold", "bias", "limit", "-limit", "edge", "edge + edge"), S),
        {},
    ),
    "adaptive": (Adaptive(), {"decay": F, "strength": F, "1": S}, {"kept": F}),
}


@pytest.mark.parametrize(("neuron", "constants", "tables"), UNITS.values(), ids=UNITS)
def test_units_follow_from_use(
    neuron: Neuron, constants: dict[str, Unit], tables: dict[str, Unit]
) -> None:
    form = integer_form(traced(neuron))
    assert {name: known.unit for name, known in form.constants.items()} == constants
    assert {name: known.unit for name, known in form.tables.items()} == tables
    assert integer_units(form.graph) == constants | tables


@given(programs())
def test_units_of_a_form_can_be_read_from_its_graph(program: Any) -> None:
    """Files hold the graph alone."""
    form = integer_form(traced(RandomNeuron(program=program)))
    units = {name: known.unit for name, known in (form.constants | form.tables).items()}
    assert integer_units(form.graph) == units


class Step(Neuron):
    """A neuron whose step is given."""

    state = ("u", "r")
    k: Any = constant(0.5)
    c: Any = constant(1.0)
    body: Any = None

    def f(self, ops, x):
        return self.c * ops.tanh(x)

    def step(self, ops, state, x):
        return self.body(self, ops, state, x)


def form(body: Any) -> Any:
    return integer_form(traced(Step(body=body)))


def ended(ops: Any, h: Any, theta: Any = 1) -> Any:
    """A step's end behind a membrane potential."""
    return ops.fire(h, theta), (ops.saturate(h), ops.saturate(h))


REFUSED = {
    "a product of two states": (
        lambda n, ops, s, x: ended(ops, ops.multiply(s.u, s.r)),
        "r is a state and is used as a factor: ops.multiply takes a state and a factor",
    ),
    "a product of the current and a state": (
        lambda n, ops, s, x: ended(ops, ops.multiply(x, s.u + 1)),
        "used as a factor",
    ),
    "a function outside of a method": (
        lambda n, ops, s, x: ended(ops, ops.tanh(x)),
        "tanh of x is no operation of integers: put it into a method of the neuron",
    ),
    "a product outside of a method": (
        lambda n, ops, s, x: ended(ops, n.k * s.u + x),
        "times of u is no operation of integers",
    ),
    "a division of two states": (
        lambda n, ops, s, x: ended(ops, s.u / s.r),
        "over of r and u is no operation of integers",
    ),
    "spikes in a sum": (
        lambda n, ops, s, x: ended(ops, x + ops.fire(x, 1)),
        "fire(x, 1) is a condition and is used as a state",
    ),
    "a factor in a sum of states": (
        lambda n, ops, s, x: ended(ops, x + ops.multiply(x, ops.where(x >= 0, s.u, n.k))),
        "u is a state and is used as a factor",
    ),
    "a comparison of constants": (
        lambda n, ops, s, x: ended(ops, ops.where(n.k >= n.c, s.u, x)),
        "where(k >= c, u, x) chooses by constants alone; make the choice a field of the class",
    ),
    "spikes of constants": (
        lambda n, ops, s, x: (ops.fire(n.c, n.k), (x, s.r)),
        "spikes that depend on constants alone say nothing; compare a state",
    ),
}


@pytest.mark.parametrize(("body", "told"), REFUSED.values(), ids=REFUSED)
def test_what_integers_cannot_do_is_refused_by_name(body: Any, told: str) -> None:
    with pytest.raises(LoweringError) as caught:
        form(body)
    assert told in str(caught.value)


def test_a_function_of_two_variables_is_refused_by_name() -> None:
    def body(n: Any, ops: Any, s: Any, x: Any) -> Any:
        def gate(ops: Any, x: Any) -> Any:
            return ops.sigmoid(x * s.r)

        return ended(ops, ops.multiply(s.u, ops.lookup(gate, x)))

    with pytest.raises(LoweringError) as caught:
        form(body)
    assert "gate is a function of x and r: a table takes one variable" in str(caught.value)


def test_a_function_of_a_sum_is_a_table() -> None:
    found = form(lambda n, ops, s, x: ended(ops, ops.lookup(n.f, s.u - x)))
    assert list(found.tables) == ["f"]
    assert found.tables["f"].function.parameters() == ("c",)
    ops, given_constants = NumpyRealOps(), {"c": 2.0}
    assert found.tables["f"].function(ops, given_constants, 0.5) == 2 * np.tanh(0.5)


def test_one_function_of_two_arguments_is_one_table_and_in_two_units_two() -> None:
    def body(n: Any, ops: Any, s: Any, x: Any) -> Any:
        gate = ops.lookup(n.f, s.r)
        return ended(ops, ops.lookup(n.f, x) + ops.lookup(n.f, s.u) + ops.multiply(x, gate))

    tables = form(body).tables
    assert {name: table.unit for name, table in tables.items()} == {"f": F, "f_2": S}
    assert tables["f"].function == tables["f_2"].function


def test_one_constant_in_two_units_is_two() -> None:
    found = form(lambda n, ops, s, x: ended(ops, ops.multiply(x, n.k) + n.k, n.k - 0.5))
    assert {name: known.unit for name, known in found.constants.items()} == {
        "k": F,
        "k (state)": S,
        "k - 0.5": S,
    }
    neuron = Step(0.25, body=lambda n, ops, s, x: ended(ops, ops.multiply(x, n.k) + n.k))
    assert to_integer(neuron, Numbers()).constants == {"k": 64, "k (state)": 64, "1": 256}


def test_what_is_made_of_constants_is_one_constant() -> None:
    def body(n: Any, ops: Any, s: Any, x: Any) -> Any:
        decay = 1 - ops.sigmoid(n.k) / 2
        return ended(ops, ops.multiply(s.u, decay) + x, n.c + ops.multiply(n.c, n.k))

    neuron = Step(0.5, 2.0, body=body)
    decay = 1 - 1 / (1 + np.exp(-0.5)) / 2
    want = {"1 - (sigmoid(k) over 2)": round(decay * 256), "c + (c * k)": 3 * 256}
    assert to_integer(neuron, Numbers()).constants == want


@given(st.floats(1e-3, 100), st.integers(1, 12), st.integers(-3, 3))
def test_a_raw_threshold_fires_where_the_real_one_does(v: float, digits: int, near: int) -> None:
    """h >= v, for v beside a raw value and on it; where it is less than half a step, none does."""
    state = FixedPointFormat(24, digits)
    v = (round(v * state.one) + near * 1e-9) / state.one
    if not 0.6 / state.one < v:
        return
    raw = to_integer(RealLifSoft(0.5, v), Numbers(state)).constants["threshold"]
    for h in range(raw - 2, raw + 3):
        assert (h >= raw) == (h / state.one >= v)


@given(st.floats(-100, 100), st.booleans())
def test_a_constant_that_states_must_not_pass_is_rounded_down(c: float, fired: bool) -> None:
    """c >= h, by >= or by ops.fire."""

    def body(n: Any, ops: Any, s: Any, x: Any) -> Any:
        if fired:
            return ops.fire(n.c, x), (s.u, s.r)
        return ops.fire(x, 0), (ops.where(n.c >= x, x, 0), s.r)

    found = form(body)
    assert found.constants["c"].rounding is Rounding.DOWN
    raw = to_integer(Step(c=c, body=body), Numbers()).constants["c"]
    for h in range(raw - 2, raw + 3):
        assert (raw >= h) == (c >= h / 256)


def test_a_choice_of_thresholds_is_rounded_up() -> None:
    def body(n: Any, ops: Any, s: Any, x: Any) -> Any:
        return ended(ops, x, ops.where(s.u >= 0, n.c, n.k + n.c))

    found = form(body).constants
    assert {name: known.rounding for name, known in found.items()} == {
        "c": Rounding.UP,
        "k + c": Rounding.UP,
    }


def test_raw_numbers_make_the_constants_that_a_step_makes() -> None:
    def body(n: Any, ops: Any, s: Any, x: Any) -> Any:
        return ended(ops, ops.multiply(x, n.k), n.c + 0.5 + ops.multiply(n.c, n.k))

    state, each = FixedPointFormat(16, 8), np.array([[[2]], [[-8]]])
    neuron = IntegerNeuron.of(Step(body=body), state, 4, {"k": each, "c": 100})
    name = "(c + 0.5) + (c * k)"
    assert {*neuron.constants} == {"k", name}
    np.testing.assert_array_equal(
        neuron.constants[name],
        [[[241]], [[178]]],  # 240.5 is a threshold, which is rounded up
    )
    assert neuron.constants[name].dtype == np.int32
