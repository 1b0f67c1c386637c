"""A neuron's class: state, constants with bounds and shapes, and what is refused by name."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from support.user_neurons import Adaptive

from arlif.base.errors import ArlifError
from arlif.core.neuron import Neuron, Per, constant, learned, traced
from arlif.core.real_neurons import NumpyRealOps, RealArlif, RealLifSoft


class Bounded(Neuron):
    """One constant of each kind."""

    state = ("u",)
    layer: Any = constant(0.5, 0, 1)
    channel: Any = learned(0.5, 0, 1, per="channel")
    neuron: Any = learned(0.5, -2, per="neuron")
    flag: bool = True


def test_a_class_says_what_its_constants_are() -> None:
    known = Bounded.parameters()
    assert list(known) == ["layer", "channel", "neuron"]
    assert [p.learned for p in known.values()] == [False, True, True]
    assert [p.per for p in known.values()] == [Per.LAYER, Per.CHANNEL, Per.NEURON]
    assert [(p.low, p.high) for p in known.values()] == [(0, 1), (0, 1), (-2, np.inf)]
    assert Bounded(0.1, flag=False).constants() == {"layer": 0.1, "channel": 0.5, "neuron": 0.5}
    assert Bounded(0.1, flag=False).flags() == {"flag": False}


def test_the_state_is_a_named_tuple_from_zero() -> None:
    neuron = Adaptive()
    state = neuron.initial_state(np.zeros(3))
    assert neuron.variables == state._fields == Adaptive.state == ("u", "a")
    np.testing.assert_array_equal(state, np.zeros((2, 3)))


def test_a_state_may_be_a_named_tuple_of_ones_own() -> None:
    class Own(NamedTuple):
        u: Any

    class Owner(Neuron):
        state_type = Own

        def step(self, ops: Any, state: Own, x: Any) -> Any:
            return ops.fire(x, 1), Own(state.u + x)

    assert Owner.state == ("u",)
    _, after = Owner().step(NumpyRealOps(), Own(np.ones(1)), np.ones(1))
    assert isinstance(after, Own)
    assert traced(Owner()).states == ("u",)


def test_a_subclass_inherits_state_and_constants() -> None:
    class Faster(Adaptive):
        rate: Any = constant(3.0)

    assert Faster.state == ("u", "a")
    assert list(Faster.parameters()) == list(Adaptive.parameters())
    assert Faster().rate == 3
    assert traced(Faster()) == traced(Adaptive())


def test_equal_constants_make_equal_neurons() -> None:
    assert Adaptive(0.5) == Adaptive(0.5) != Adaptive(0.25)
    many = np.array([0.1, 0.2])
    assert Adaptive(strength=many) == Adaptive(strength=many.copy()) != Adaptive(strength=many[:1])
    assert RealLifSoft(0.5) != RealArlif(0.5)


def test_constants_inside_their_bounds_are_taken() -> None:
    for value in (0, 1, 0.5, np.float32(0.5), np.array([0.0, 1.0])):
        assert np.array_equal(Bounded(channel=value).channel, value)
    Bounded(channel=np.ones((3, 1, 1)), neuron=np.full((3, 4, 5), -2))
    Bounded(layer=np.array(0.5), channel=np.array([[[0.5]]]))
    learnt = torch.tensor(2.0, requires_grad=True)
    assert Bounded(layer=learnt).layer is learnt


OUTSIDE = {
    "below": (lambda: Bounded(layer=-0.001), "layer of Bounded lies in [0, 1], not at -0.001"),
    "above": (lambda: Bounded(layer=1.001), "not at 1.001"),
    "not a number": (lambda: Bounded(neuron=np.nan), "not at nan"),
    "infinite": (lambda: Bounded(neuron=np.inf), "lies in [-2, inf], not at inf"),
    "one of an array": (
        lambda: Bounded(channel=np.array([0.5, 1.5])),
        "channel of Bounded lies in [0, 1], not at 0.5 to 1.5",
    ),
    "an array for a layer": (
        lambda: Bounded(layer=np.array([0.5, 0.5])),
        "layer of Bounded is one number per layer, not an array of shape (2,); declare it with",
    ),
    "one per neuron for channels": (
        lambda: Bounded(channel=np.full((2, 3, 3), 0.5)),
        "one number per channel, not an array of shape (2, 3, 3)",
    ),
    "one that the class does not know": (lambda: RealArlif(beta=2.0), "[-1, 1], not at 2"),
}


@pytest.mark.parametrize(("make", "told"), OUTSIDE.values(), ids=OUTSIDE)
def test_constants_outside_their_bounds_are_refused(make: Any, told: str) -> None:
    with pytest.raises(ArlifError) as caught:
        make()
    assert told in str(caught.value)


@pytest.mark.parametrize("make", [constant, learned])
def test_a_declaration_keeps_its_own_rules(make: Any) -> None:
    make(1.0, 1.0, 1.0)
    with pytest.raises(ArlifError, match=r"starts in \[0, 1\], not at 2"):
        make(2.0, 0, 1)
    with pytest.raises(ArlifError, match="per layer, channel, neuron, not per 'row'"):
        make(0.5, per="row")


def declared(name: str, **members: Any) -> type[Neuron]:
    annotations = dict.fromkeys((n for n in members if n != "state"), Any)
    return type(name, (Neuron,), {"__annotations__": annotations, **members})


DECLARED = {
    "twice the same": ({"state": ("u", "u")}, "each once"),
    "x": ({"state": ("u", "x")}, "none 'x'"),
    "no tuple": ({"state": "u"}, "'u'"),
    "none": ({"state": ()}, "()"),
    "a constant named as a state": ({"state": ("u",), "u": constant(1.0)}, "D.u: a constant"),
    "a constant named x": ({"state": ("u",), "x": constant(1.0)}, "D.x: a constant"),
    "a constant named as a method": ({"state": ("u",), "step": constant(1.0)}, "D.step: a const"),
}


@pytest.mark.parametrize(("members", "told"), DECLARED.values(), ids=DECLARED)
def test_names_that_mean_two_things_are_refused(members: Any, told: str) -> None:
    declared("D", state=("u",), y=constant(1.0))
    with pytest.raises(ArlifError) as caught:
        declared("D", **members)
    assert told in str(caught.value)


def test_a_neuron_without_state_or_step_is_refused_when_it_is_traced() -> None:
    with pytest.raises(ArlifError, match=r"D names no state; .*state = "):
        traced(declared("D")())
    with pytest.raises(ArlifError, match="D: the step cannot be traced: it has none"):
        traced(declared("D", state=("u",))())


def test_flags_choose_between_steps() -> None:
    assert len(traced(RealArlif(memory=True)).nodes) > len(traced(RealArlif(memory=False)).nodes)
