"""Integer neurons: the constants a step reads, as frozen data that checks itself."""

from collections import namedtuple
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from arlif.base.errors import ArlifError, NetworkError, require
from arlif.core.equality import ArrayEquality, frozen_array
from arlif.core.formats import FixedPointFormat
from arlif.core.graph import Graph, Op
from arlif.core.integer_form import IntegerForm, integer_form
from arlif.core.maps import Shape
from arlif.core.neuron import Neuron, Stateful, traced
from arlif.core.ops import IntegerOps, Ops, Value
from arlif.core.ranges import Interval, format_intervals, intervals
from arlif.core.real_neurons import NumpyRealOps
from arlif.core.steps import After
from arlif.core.tables import LookupTable, TableDomain
from arlif.core.units import Unit, integer_units


def require_factor_bits(bits: int, error: type[ArlifError] = ArlifError) -> None:
    """Raise `error` where factors cannot have so many binary digits."""
    require(
        1 <= bits <= 16,
        f"factors have 1 to 16 bits, not {bits}; 8 (compact16) and 12 (loihi24) are the presets'",
        error,
    )


@dataclass(frozen=True, eq=False)
class IntegerNeuron(Stateful, ArrayEquality):
    """A neuron's step in integers, with the constants and tables that it reads.

    name: of the class that was quantized. graph: see arlif.core.integer_form.
    state_format: format of the input current and of every state variable.
    factor_bits: binary digits of factors, 1 to 16; 2**factor_bits stands for 1.0.
    constants: raw numbers by name, each one for the layer, or an int32 array that broadcasts
    against [N, *shape]: [C] or [C, 1, 1] per channel, or one per neuron.
    tables: by name. Raises NetworkError where a value could leave 32 bits, or a state its format.
    """

    name: str
    graph: Graph
    state_format: FixedPointFormat
    factor_bits: int
    constants: Mapping[str, Any]
    tables: Mapping[str, LookupTable]

    def __post_init__(self) -> None:
        require(
            self.name.isidentifier(),
            f"a neuron is called by the name of its class, not {self.name!r}",
            NetworkError,
        )
        require(len(self.variables) > 0, f"{self.name} has no state variable", NetworkError)
        require_factor_bits(self.factor_bits, NetworkError)
        self.graph.require_states()
        units = integer_units(self.graph)
        needed = {node.name for node in self.graph.nodes if node.op in (Op.PARAMETER, Op.LOOKUP)}
        require(
            needed == {*self.constants, *self.tables},
            f"{self.name} reads {_listed(needed)}; it has "
            f"{_listed({*self.constants, *self.tables})}",
            NetworkError,
        )
        require(
            needed <= units.keys(),
            f"{self.name} reads {_listed(needed - units.keys())} for nothing; leave it out",
            NetworkError,
        )
        strange = sorted(name for name in needed if not _is_title(name))
        require(
            not strange,
            f"constants and tables have names of printable characters without '/', not {strange}",
            NetworkError,
        )
        constants = {name: _number(value) for name, value in self.constants.items()}
        object.__setattr__(self, "constants", constants)
        object.__setattr__(self, "tables", dict(self.tables))
        for name, value in constants.items():
            if name.isidentifier() or units[name] is Unit.FACTOR:  # a sum only has to fit 32 bits
                self._require_representable(name, value, units[name])
        for name, table in self.tables.items():
            self._require_representable(f"table {name}", table.values, units[name])
        self._require_bounded()

    @property
    def state_type(self) -> Any:
        """A named tuple of the state variables."""
        return _state_type(self.graph.states)

    @property
    def fires(self) -> bool:
        """Whether it may send a spike; an integrator never does."""
        return self.graph.fires

    @property
    def one(self) -> int:
        """The raw factor that stands for 1.0."""
        return 1 << self.factor_bits

    def ops(self) -> IntegerOps:
        """The reference arithmetic of this neuron."""
        return IntegerOps(self.state_format, self.factor_bits)

    def step(self, ops: Ops, state: Any, x: Value) -> After:
        """One time step on `ops`: (spikes, new state)."""
        spikes, after = self.graph.run(ops, state, x, self.constants, self.tables)
        return spikes, self.state_type(*after)

    def with_numbers(
        self, constants: Mapping[str, Any], tables: Mapping[str, Any]
    ) -> "IntegerNeuron":
        """The neuron with other numbers, of whatever kind `ops` takes; nothing is checked."""
        other = copy(self)
        object.__setattr__(other, "constants", constants)
        object.__setattr__(other, "tables", tables)
        return other

    def is_a(self, neuron: type[Neuron] | Neuron) -> bool:
        """Whether this is the integer form of a class, or of its flags, whatever its constants."""
        return self.name == integer_name(neuron) and self.graph == _form(neuron).graph

    def intervals(self, inputs: Mapping[str, Interval] | None = None) -> list[Interval]:
        """The interval of every node, by default for x and states anywhere in their format."""
        graph, state = self.graph, self.state_format
        inputs = inputs or format_intervals(graph, state)
        return intervals(graph, state, self.factor_bits, self.constants, self.tables, inputs)

    def require_shape(self, shape: Shape) -> None:
        """Raise NetworkError where constants do not fit neurons of `shape`."""
        channels = (shape[0], *(1 for _ in shape[1:]))
        for name, value in self.constants.items():
            require(
                isinstance(value, int) or value.shape in (channels, shape),
                f"{name} of shape {np.shape(value)} does not fit neurons of shape {shape}: it has "
                f"one value, or {channels}, or {shape}",
                NetworkError,
            )

    def _require_representable(self, name: str, raw: Any, unit: Unit) -> None:
        state = self.state_format
        low, high = (state.low, state.high) if unit is Unit.STATE else (-LARGEST, LARGEST)
        where = f"the state format, {low} to {high}; use a wider state format"
        if unit is not Unit.STATE:
            where = f"{low} to {high}, since a factor has 16 bits; use fewer factor bits"
        require(
            bool(np.min(raw) >= low and np.max(raw) <= high),
            f"{name} of {self.name} reaches {np.min(raw)} to {np.max(raw)}, outside {where}",
            NetworkError,
        )

    def _require_bounded(self) -> None:
        """No value leaves 32 bits, and no state variable its format, for as long as it runs."""
        try:
            found = self.intervals()
        except NetworkError as error:
            raise NetworkError(f"{self.name}: {error}") from None
        state = self.state_format
        for name, place in zip(self.variables, self.graph.after, strict=True):
            low, high = found[place]
            require(
                state.low <= low and high <= state.high,
                f"{self.name}: {name} may become {low} to {high} in one step, outside the state "
                f"format, {state.low} to {state.high}; put ops.saturate around its new value",
                NetworkError,
            )

    @classmethod
    def of(
        cls,
        neuron: type[Neuron] | Neuron,
        state_format: FixedPointFormat,
        factor_bits: int,
        constants: Mapping[str, Any],
        tables: Mapping[str, LookupTable] = MappingProxyType({}),
    ) -> "IntegerNeuron":
        """A neuron's integer form with raw numbers for its constants, by their names in the class.

        What a step makes of constants, such as a sum of two, is computed from their raw numbers.
        """
        form = _form(neuron)
        unknown = constants.keys() - neuron.parameters().keys()
        require(not unknown, f"{integer_name(neuron)} has no {_listed(unknown)}", NetworkError)
        ones = {Unit.STATE: state_format.one, Unit.FACTOR: 1 << factor_bits}
        units = form.parameter_units()
        missing = units.keys() - constants.keys()
        require(not missing, f"there is no raw number for {_listed(missing)}", NetworkError)
        real = {name: _number(constants[name]) / ones[unit] for name, unit in units.items()}
        raw = {
            name: constant.rounding.rounded(
                np.multiply(constant.value(NumpyRealOps(), real), ones[constant.unit])
            )
            for name, constant in form.constants.items()
        }
        return cls(integer_name(neuron), form.graph, state_format, factor_bits, raw, tables)


LARGEST = 1 << 16
"""The largest raw factor: 1.0 with 16 factor bits."""


def integer_name(neuron: type[Neuron] | Neuron) -> str:
    """What a neuron is called in files and reports: its class, without `Real` in front."""
    kind = neuron if isinstance(neuron, type) else type(neuron)
    return kind.__name__.removeprefix("Real")


def _form(neuron: type[Neuron] | Neuron) -> IntegerForm:
    instance = neuron() if isinstance(neuron, type) else neuron
    return integer_form(traced(instance))


def _number(value: Any) -> Any:
    """One number as an int, more as a read-only int32 array."""
    array = np.asarray(value)
    require(
        array.size > 0 and array.dtype.kind in "iu",
        f"raw constants are integers, not {array.dtype} of shape {array.shape}",
        NetworkError,
    )
    return int(array) if array.ndim == 0 else frozen_array(array, np.int32)


def _is_title(name: str) -> bool:
    """Whether a constant may have this name: an expression, and a group of a file."""
    return name.isprintable() and "/" not in name and name.strip(". ") != ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


@cache
def _state_type(names: tuple[str, ...]) -> Any:
    return namedtuple("State", names)


@dataclass(frozen=True)
class Numbers:
    """How a neuron's numbers become integers: state format, factor width, table domain."""

    state_format: FixedPointFormat = FixedPointFormat(16, 8)
    factor_bits: int = 8
    tables: TableDomain = TableDomain()

    def __post_init__(self) -> None:
        require_factor_bits(self.factor_bits)


PRESETS: dict[str, Numbers] = {
    "compact16": Numbers(),
    "loihi24": Numbers(FixedPointFormat(24, 12), factor_bits=12),
}
"""compact16: 16-bit state, 8-bit factors. loihi24: the widths of Lava's LIF (24-bit, 12-bit)."""
