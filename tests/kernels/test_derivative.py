"""The derivative of a step is that of torch's autograd through the plain loop's step."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.programs import Program, RandomNeuron, programs
from support.toy_neurons import AdaptiveThreshold, Bursting, Explosive
from torch import Tensor

from arlif.arithmetic.floating import FloatOps
from arlif.arithmetic.surrogates import Rectangle
from arlif.base.errors import ArlifError
from arlif.core.graph import APPLY, CURRENT, Op
from arlif.core.integer_form import integer_form
from arlif.core.neuron import Neuron, traced
from arlif.core.real_neurons import (
    RealArlif,
    RealClif,
    RealCuba,
    RealLifHard,
    RealLifSoft,
    RealLifSubtract,
    RealLifWeighted,
)
from arlif.kernels.derivative import OF_SPIKES, Derivative, derivative, of_state, real_graph

OPS, WIDE = FloatOps(Rectangle(1.5)), FloatOps(Rectangle(6.0))
LOW, HIGH = -1.25, 2.0
NEURONS = (
    RealArlif(0.75, 0.5, 0.7, -0.4),
    RealArlif(0.75, 0.5, 0.7, -0.4, memory=False),
    RealLifSoft(0.75),
    RealLifHard(0.75),
    RealLifSubtract(0.75, 1.0, 2.0, 0.25),
    RealLifWeighted(-0.75, 1.0, 0.5),
    RealClif(0.25, 0.5),
    RealCuba(0.75, 0.5, 1.0, 0.25, 2.0, 2.5),
    AdaptiveThreshold(),
    Bursting(),
)
every_neuron = pytest.mark.parametrize(
    "neuron", NEURONS, ids=[f"{i} {type(neuron).__name__}" for i, neuron in enumerate(NEURONS)]
)


class Clamping(FloatOps):
    """Real numbers within a format."""

    def saturate(self, value: Any) -> Any:
        return torch.as_tensor(value).clamp(LOW, HIGH)


def interpreted(found: Derivative, ops: FloatOps, given: dict[str, Any]) -> list[Any]:
    """The value of every node; conditions and spikes are 0.0 or 1.0. given: inputs, parameters."""
    values: list[Any] = []
    for node in found.nodes:
        args = [values[arg] for arg in node.args]
        match node.op:
            case Op.INPUT | Op.PARAMETER:
                value = given[node.name]
            case Op.NUMBER:
                value = torch.tensor(node.number, dtype=torch.float64)
            case Op.LOOKUP:
                value = args[1]
            case Op.GE | Op.FIRE:
                value = (args[0] >= args[1]).double()
            case Op.WHERE | Op.SELECT:
                value = torch.where(args[0] > 0, args[1], args[2])
            case Op.SURROGATE:
                slope = ops.surrogate.slope(args[0])
                value = torch.where(slope > 0, args[1] * slope, 0.0)
            case Op.INSIDE:
                value = torch.where((args[0] >= LOW) & (args[0] <= HIGH), args[1], 0.0)
            case Op.FINITE:
                value = args[0].nan_to_num(0, 0, 0)
            case _:
                value = APPLY[node.op](ops, *args)
        values.append(value)
    return values


def assert_derivative_of_step(
    neuron: Neuron, found: Derivative, ops: FloatOps, wanted: list[str], x: Tensor, scale: float
) -> None:
    """Results and gradients of `found` are those of the step on `ops`, each neuron by itself."""

    def like_x(seed: int) -> Tensor:
        torch.manual_seed(seed)
        return torch.randn_like(x) * scale

    given = {name: torch.full_like(x, value) for name, value in neuron.constants().items()}
    given |= {name: like_x(i) for i, name in enumerate(neuron.variables)} | {CURRENT: x}
    leaves = [CURRENT, *neuron.variables, *wanted]
    for name in leaves:
        given[name].requires_grad_()
    tensors = {name: given[name] for name in neuron.parameters()}
    state = neuron.state_type(*(given[name] for name in neuron.variables))
    spikes, after = neuron.with_constants(tensors).step(ops, state, x)
    seeds = [like_x(10 + i) for i in range(1 + len(after))]
    loss = sum((value * seed).sum() for value, seed in zip((spikes, *after), seeds, strict=True))
    want: Any = [None] * len(leaves)
    if loss.requires_grad:
        want = torch.autograd.grad(loss, [given[name] for name in leaves], allow_unused=True)
    names = (OF_SPIKES, *map(of_state, neuron.variables))
    with torch.no_grad():
        values = interpreted(found, ops, given | dict(zip(names, seeds, strict=True)))
    for place, value in zip((found.spikes, *found.after), (spikes, *after), strict=True):
        assert torch.allclose(values[place].expand_as(x), value, 1e-13, 1e-13, equal_nan=True)
    got = (found.of_x, *found.of_states, *found.of_parameters)
    for name, place, gradient in zip(leaves, got, want, strict=True):
        expected = torch.zeros_like(x) if gradient is None else gradient
        assert torch.allclose(values[place].expand_as(x), expected, 1e-12, 1e-12), name


def currents() -> Tensor:
    torch.manual_seed(0)
    return torch.randn(2000, dtype=torch.float64) * 2


@every_neuron
@pytest.mark.parametrize("wanted", ["learned", "all"])
def test_it_equals_autograd_of_the_step(neuron, wanted):
    names = [n for n, known in neuron.parameters().items() if wanted == "all" or known.learned]
    found = derivative(real_graph(traced(neuron)), names)
    assert_derivative_of_step(neuron, found, OPS, names, currents(), 1.5)


@every_neuron
def test_where_states_saturate_nothing_passes_outside(neuron):
    names = list(neuron.parameters())
    found = derivative(traced(neuron), names)
    assert any(node.op is Op.INSIDE for node in found.nodes)
    assert_derivative_of_step(neuron, found, Clamping(OPS.surrogate), names, currents(), 1.5)


@settings(max_examples=150)
@given(programs(), st.booleans())
def test_random_steps(program: Program, saturates: bool) -> None:
    neuron, names = RandomNeuron(program=program), ["k", "b"]
    graph, ops = (
        (traced(neuron), Clamping(OPS.surrogate))
        if saturates
        else (real_graph(traced(neuron)), OPS)
    )
    assert_derivative_of_step(neuron, derivative(graph, names), ops, names, currents()[:200], 1.5)


@every_neuron
def test_infinite_currents_have_the_gradients_of_the_loop(neuron):
    x = torch.tensor([torch.inf, -torch.inf, 2.0], dtype=torch.float64)
    found = derivative(real_graph(traced(neuron)), [])
    if isinstance(neuron, RealCuba):
        pytest.skip("the loop itself has no number there")
    assert_derivative_of_step(neuron, found, OPS, [], x, 0.25)


def test_a_spike_between_infinite_numbers_gets_no_gradient():
    neuron, names = Explosive(), ["decay"]
    found = derivative(real_graph(traced(neuron)), names)
    assert sum(node.op is Op.FINITE for node in found.nodes) == 1
    assert_derivative_of_step(neuron, found, WIDE, names, -currents().abs(), 1.0)


@pytest.mark.parametrize("neuron", NEURONS[:7])
def test_the_potential_needs_no_such_care(neuron):
    found = derivative(real_graph(traced(neuron)), [])
    assert not any(node.op is Op.FINITE for node in found.nodes)


def test_what_nobody_wants_is_not_built():
    neuron = RealArlif()
    less, more = (
        derivative(real_graph(traced(neuron)), names) for names in ([], ["alpha", "beta"])
    )
    assert len(less.nodes) < len(more.nodes)
    assert less.nodes[: less.own] == more.nodes[: more.own]
    soft = derivative(real_graph(traced(RealLifSoft())), [])
    operations = [node.op for node in soft.nodes[soft.own :] if node.op is not Op.INPUT]
    assert operations == [Op.TIMES, Op.SUB, Op.SURROGATE, Op.ADD, Op.TIMES]


def test_a_parameter_that_the_step_does_not_read_has_the_gradient_0():
    found = derivative(real_graph(traced(RealArlif(memory=False))), ["alpha", "beta"])
    node = found.nodes[found.of_parameters[0]]
    assert (node.op, node.number) == (Op.NUMBER, 0)
    assert found.nodes[found.of_states[1]] == node


def test_known_numbers_fold():
    free = derivative(real_graph(traced(RealLifSubtract())), [])
    known = derivative(real_graph(traced(RealLifSubtract(), {"hold": 0.0})), [])
    assert known.own < free.own


@every_neuron
def test_own_nodes_read_no_gradient(neuron):
    found = derivative(real_graph(traced(neuron)), [])
    names = {OF_SPIKES, *map(of_state, found.states)}
    assert not names & {node.name for node in found.nodes[: found.own]}
    assert max(found.spikes, *found.after) < found.own


def test_the_complement_of_a_sigmoid_is_a_sigmoid():
    found = derivative(real_graph(traced(RealArlif())), ["alpha"])
    for node in found.nodes:
        if node.op is Op.SUB:
            assert found.nodes[node.args[1]].op is not Op.SIGMOID


def test_tables_have_no_gradient():
    tables = integer_form(traced(RealArlif())).graph
    with pytest.raises(ArlifError, match="is a table"):
        derivative(tables, [])
    with pytest.raises(ArlifError, match="is a table"):
        real_graph(tables)


def test_a_broken_rule_is_seen():
    """The comparison above sees one wrong sign."""
    neuron = RealLifSoft(0.75)
    found = derivative(real_graph(traced(neuron)), ["threshold"])
    wrong = replace(found, of_x=found.of_parameters[0])
    with pytest.raises(AssertionError):
        assert_derivative_of_step(neuron, wrong, OPS, ["threshold"], currents(), 1.5)
