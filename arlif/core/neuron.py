"""What a neuron is: one class with its state, its constants and its step; the rest follows.

class Leaky(Neuron):
    state = ("u",)
    decay: float = constant(0.9, low=0, high=1)
    threshold: float = learned(1.0, low=0.1, per="channel")

    def step(self, ops, state, x):
        h = ops.saturate(ops.multiply(state.u, self.decay) + x)
        s = ops.fire(h, self.threshold)
        return s, (ops.saturate(h - ops.select(s, self.threshold, 0)),)
"""

import math
from collections import namedtuple
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, fields
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, dataclass_transform

import numpy as np

from arlif.base.errors import ArlifError, require
from arlif.core.equality import ArrayEquality
from arlif.core.graph import CURRENT, SPIKES, Graph, is_variable
from arlif.core.ops import Ops, Value
from arlif.core.steps import After
from arlif.core.trace import Recording, RecordingOps, recorded


class Per(Enum):
    """How many values a constant has."""

    LAYER = "layer"
    CHANNEL = "channel"
    NEURON = "neuron"


@dataclass(frozen=True)
class Parameter:
    """What is known of a neuron's constant: its bounds, whether it learns, how many it has.

    optional: the step of a neuron that has the number 0 here is traced without it.
    """

    low: float
    high: float
    learned: bool
    per: Per
    optional: bool = False


def constant(
    default: float,
    low: float = -math.inf,
    high: float = math.inf,
    per: str = "layer",
    optional: bool = False,
) -> Any:
    """A field of a neuron: a number that training leaves alone, in [low, high].

    per: "layer", "channel" or "neuron": how many values a layer may have. optional: where it is the
    number 0, the step does without it, in every engine and file. Raises ArlifError.
    """
    return _field(default, low, high, False, per, optional)


def learned(
    default: float, low: float = -math.inf, high: float = math.inf, per: str = "layer"
) -> Any:
    """A field of a neuron: a number that training changes, from `default`, within [low, high].

    per: "layer", "channel" or "neuron": how many values a layer learns. Raises ArlifError.
    """
    return _field(default, low, high, True, per)


def _field(
    default: float, low: float, high: float, learned: bool, per: str, optional: bool = False
) -> Any:
    names = [kind.value for kind in Per]
    require(per in names, f"a constant is one per {', '.join(names)}, not per {per!r}")
    require(low <= default <= high, f"a constant starts in [{low}, {high}], not at {default}")
    known = Parameter(low, high, learned, Per(per), optional)
    return field(default=default, metadata={"arlif": known})


class Stateful:
    """Mixin of every neuron, integer or real: which state its step takes and returns."""

    state_type: Any

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the state variables, in the order of the state."""
        names: tuple[str, ...] = self.state_type._fields
        return names

    def initial_state(self, zeros: Value) -> Any:
        """The state before the first step, every variable equal to `zeros`."""
        return self.state_type(*(zeros for _ in self.variables))

    def step(self, ops: Ops, state: Any, x: Value) -> After:
        """One time step on `ops`: (spikes, new state)."""
        raise NotImplementedError


@dataclass_transform(frozen_default=True, eq_default=False)
@dataclass(frozen=True, eq=False)
class Neuron(Stateful, ArrayEquality):
    """A neuron with real constants; subclasses declare its state, its constants and its step.

    state: names of the state variables, which start at 0. Constants are fields made by `constant`
    or `learned`; other fields (flags) choose between steps. A constant holds a number, an array
    that broadcasts against [N, *shape], or a tensor. Raises ArlifError outside its bounds.
    instead: what its users take where a file holds no step but that of plain LIF.
    """

    state: ClassVar[tuple[str, ...]]
    instead: ClassVar[str] = "use arlif.LIF or arlif.ARLIF"
    known_constants: ClassVar[dict[str, Parameter]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "state" in cls.__dict__:
            names = cls.state
            proper = isinstance(names, tuple) and len({*names}) == len(names) > 0
            require(
                proper and all(map(is_variable, names)),
                f"{cls.__name__}.state names state variables, words of Python, each once and none "
                f'{CURRENT!r} or {SPIKES!r}, such as ("u",); got {names!r}',
            )
            cls.state_type = namedtuple(f"{cls.__name__}State", names)  # type: ignore[misc]
        elif "state_type" in cls.__dict__:
            cls.state = cls.state_type._fields
        dataclass(frozen=True, eq=False)(cls)
        known = {f.name: f.metadata["arlif"] for f in fields(cls) if "arlif" in f.metadata}
        cls.known_constants = known
        taken = {CURRENT, *getattr(cls, "state", ()), *dir(Neuron)}
        for name in cls.parameters():
            require(
                name not in taken,
                f"{cls.__name__}.{name}: a constant is named neither as x or a state variable nor "
                "as what every neuron has; choose another name",
            )

    def __post_init__(self) -> None:
        require(
            hasattr(self, "state_type"),
            f"{type(self).__name__} names no state; say which variables it keeps, such as state = "
            '("u",)',
        )
        for name, known in self.parameters().items():
            value = getattr(self, name)
            if not isinstance(value, int | float | np.ndarray | np.number):
                continue
            low, high, shape = value, value, ()
            if isinstance(value, np.ndarray):
                low, high, shape = np.min(value), np.max(value), value.shape
            if not (
                known.low <= low and high <= known.high and -math.inf < low and high < math.inf
            ):
                raise ArlifError(
                    f"{name} of {type(self).__name__} lies in [{known.low:g}, {known.high:g}], "
                    f"not at {low:g}" + (f" to {high:g}" if shape else "")
                )
            single = {Per.LAYER: shape, Per.CHANNEL: shape[1:], Per.NEURON: ()}[known.per]
            require(
                math.prod(single) == 1,
                f"{name} of {type(self).__name__} is one number per {known.per.value}, not an "
                f'array of shape {shape}; declare it with per="channel" or per="neuron"',
            )

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """What is known of every constant, by name."""
        return cls.known_constants

    def constants(self) -> dict[str, Any]:
        """The constants' values by name."""
        return {name: getattr(self, name) for name in self.parameters()}

    def flags(self) -> dict[str, Any]:
        """The other fields by name."""
        known = self.parameters()
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in known}

    def with_constants(self, values: Mapping[str, Any]) -> Any:
        """The neuron with other constants, whatever they are; nothing is checked."""
        other = copy(self)
        for name, value in values.items():
            object.__setattr__(other, name, value)
        return other


def traced(neuron: Neuron, known: Mapping[str, float] = MappingProxyType({})) -> Graph:
    """The step of a neuron as a graph.

    known: constants that are numbers in the graph, and folded, by name. Raises ArlifError where
    the step cannot be traced.
    """
    require(
        hasattr(neuron, "state_type"),
        f'{type(neuron).__name__} says no state; declare its variables, such as state = ("u",)',
    )
    recording = Recording()
    numbers = {
        name: 0.0 for name, p in neuron.parameters().items() if _is_left_out(neuron, name, p)
    }
    numbers |= known
    symbols = {
        name: recording.symbol(numbers[name]) if name in numbers else recording.parameter(name)
        for name in neuron.parameters()
    }
    symbolic = neuron.with_constants(symbols)

    def step(ops: RecordingOps, state: tuple[Any, ...], x: Any) -> After:
        spikes, after = symbolic.step(ops, neuron.state_type(*state), x)
        if len(after) != len(state):
            raise TypeError(f"it returns {len(after)} states, not {', '.join(neuron.variables)}")
        return spikes, neuron.state_type(*after)

    try:
        return recorded(recording, neuron.variables, step)
    except ArlifError as error:
        raise ArlifError(f"{type(neuron).__name__}: {error}") from error


def _is_left_out(neuron: Neuron, name: str, parameter: Parameter) -> bool:
    """Whether a constant is optional and the number 0."""
    value = getattr(neuron, name)
    return parameter.optional and isinstance(value, int | float) and value == 0
