"""The integer update of a population, fused over time; equal to the reference in every bit."""

import ctypes
from ctypes import Structure, c_int32, c_int64, c_void_p
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import ArlifError
from arlif.core.graph import Graph
from arlif.core.integer_form import integer_form
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.network import Population
from arlif.core.neuron import Per, traced
from arlif.core.real_neurons import BUILT_IN
from arlif.core.tables import LookupTable
from arlif.kernels.build import Source, library, loaded
from arlif.kernels.call import Call
from arlif.kernels.integer_printer import IntegerKernel, printed
from arlif.kernels.integer_widths import (
    fits_16_bits,
    has_wide_products,
    is_usual,
    joined_fields,
)
from arlif.kernels.neuron_rows import (
    Repeated,
    Weights,
    doublings,
    repeated,
    row_of,
    weight_rows,
)
from arlif.kernels.reused import Empty

NARROW, NARROW_USUAL, PRODUCTS_OF_32_BITS, PRODUCTS_OF_64_BITS = range(4)
"""Width of integer_update.cpp."""
KINDS = [np.dtype(kind) for kind in (np.int16, np.int32, np.float32)]
"""Kind of integer_update.cpp."""
BLOCK_STEPS = 255
"""Time steps of a call at most: one byte holds how often a neuron fired."""
MOST_OPERATIONS = 200
"""A step of more runs as a plain loop: it takes a compiler longer than most runs last."""


class Update(NamedTuple):
    """spikes: uint8 [T, N, *shape]; counts: their sum over time, uint8 [N, *shape];

    state: after the last step, int32 [N, *shape] each, None where nobody asked for it; history:
    every state by name over time, int32 [T, N, *shape], where it was asked for. Channels come last.
    """

    spikes: NDArray[np.uint8]
    counts: NDArray[np.uint8]
    state: Any
    history: dict[str, NDArray[np.int32]]


def kind_of(accumulators: NDArray[Any]) -> np.dtype[Any]:
    """The type in which a kernel takes such accumulators."""
    return accumulators.dtype if accumulators.dtype in KINDS else np.dtype(np.int32)


class Compiled(NamedTuple):
    """A kernel, the source it is compiled from, and its number there."""

    kernel: IntegerKernel
    source: Source
    number: int


def applies(neuron: IntegerNeuron) -> bool:
    """Whether a neuron has a kernel here; one that is new has it compiled at once."""
    short = len(neuron.graph.nodes) <= MOST_OPERATIONS
    return short and neuron.fires and library(compiled(neuron).source) is not None


def compiled(neuron: IntegerNeuron) -> Compiled:
    """What runs a neuron: the kernel of one that comes with arlif, or one of its own."""
    arrays = any(isinstance(value, np.ndarray) for value in neuron.constants.values())
    return _compiled(neuron.graph, arrays)


@cache
def _compiled(graph: Graph, per_neuron: bool) -> Compiled:
    known = built_in()
    for number, kernel in enumerate(known):
        if kernel.graph == graph and (kernel.per_neuron or not per_neuron):
            return Compiled(kernel, built_in_source(), number)
    kernel = IntegerKernel(graph, per_neuron)
    return Compiled(kernel, source_of((kernel,)), 0)


@cache
def built_in() -> tuple[IntegerKernel, ...]:
    """The kernels of the neurons that come with arlif."""
    kernels = (
        IntegerKernel(
            integer_form(traced(neuron)).graph,
            any(known.per is not Per.LAYER for known in neuron.parameters().values()),
        )
        for neuron in BUILT_IN
    )
    return tuple(dict.fromkeys(kernels))


@cache
def built_in_source() -> Source:
    """What the kernels of the neurons that come with arlif are compiled from."""
    return source_of(built_in())


def source_of(kernels: tuple[IntegerKernel, ...]) -> Source:
    """What kernels are compiled from."""
    return Source(("integer_update.cpp",), printed(kernels))


class IntegerUpdate:
    """The update of a population over time steps, where `applies(population.neuron)`."""

    def __init__(self, population: Population, empty: Empty = np.empty) -> None:
        self.population, neuron, self.empty = population, population.neuron, empty
        channel, *rest = population.shape
        self.shape = (*rest, channel)
        self.kernel, self.source, self.number = compiled(neuron)
        self.width = PRODUCTS_OF_64_BITS if has_wide_products(neuron) else PRODUCTS_OF_32_BITS
        narrow = _has_narrow_lanes(self.source) and fits_16_bits(neuron, self.kernel)
        if narrow:
            self.width = NARROW_USUAL if is_usual(neuron, self.kernel) else NARROW
        packed = {} if narrow else _packed(neuron, self.kernel)
        self.joined = bool(packed)
        tables = [(neuron.tables[name], packed.get(name)) for name in self.kernel.tables]
        held = [_cells(table, field) for table, field in tables]
        self.tables = (_Table * len(held))(
            *(_Table(values.ctypes.data, *at) for values, at in held)
        )
        own = [neuron.constants[name] for name in self.kernel.constants]
        per_neuron = self.kernel.per_neuron
        self.constants = np.zeros(1, np.int32) if per_neuron else np.array([*own, 0], np.int32)
        rows = weight_rows(population)
        of_neurons = [row_of(values, population.shape, np.int32) for values in own if per_neuron]
        self.varying = (Repeated * len(of_neurons))(*map(repeated, of_neurons))
        sizes = map(ctypes.sizeof, (_Table, Weights, _Update))
        self.run = loaded(self.source, "arlif_integer_layout", *sizes).arlif_integer
        self.fixed = (
            *(neuron.state_format.low, neuron.state_format.high, neuron.factor_bits),
            self.constants.ctypes.data,
            ctypes.addressof(self.tables),
            ctypes.addressof(self.varying),
            Weights(*map(repeated, rows), doublings(population)),
        )
        self.held = (held, rows, of_neurons)  # the memory that the structures point into

    def __call__(
        self,
        accumulators: Any,
        steps: int,
        threads: int,
        state: Any = None,
        history: bool = False,
        goes_on: bool = True,
    ) -> Update:
        """Run `steps` time steps on that many threads.

        accumulators: numpy array or CPU tensor, [T, N, H, W, C] or [T, N, features], or T = 1 where
        every step has the same; int16, int32, integers in float32, or what converts to int32.
        state: where to start, None for 0. goes_on: whether the last state is asked for. Raises
        ArlifError where shapes do not fit.
        """
        acc = np.asarray(accumulators)
        acc = np.ascontiguousarray(acc, kind_of(acc))
        call, update = self.bind(acc, steps, threads, state, history, goes_on)
        call()
        return update

    def bind(
        self,
        acc: NDArray[Any],
        steps: int,
        threads: int,
        state: Any = None,
        history: bool = False,
        goes_on: bool = True,
    ) -> tuple[Call, Update]:
        """What runs `steps` time steps, and what it writes.

        acc: as above, contiguous, of a type in KINDS. Raises ArlifError where shapes do not fit.
        """
        population, neuron = self.population, self.population.neuron
        shape = acc.shape[1:]
        known = shape[1:] == self.shape and acc.shape[0] in (1, steps)
        if not (known and 1 <= steps <= BLOCK_STEPS):  # the text is made where it is needed
            raise ArlifError(
                f"{population.name} takes accumulators [{steps} or 1, N, "
                f"{', '.join(map(str, self.shape))}] of at most {BLOCK_STEPS} steps, not "
                f"{acc.shape}"
            )
        names = neuron.variables
        before = None if state is None else np.array([np.asarray(s) for s in state], np.int32)
        after = self.empty((len(names), *shape), np.int32) if goes_on else None
        spikes = self.empty((steps, *shape), np.uint8)
        counts = self.empty(shape, np.uint8)
        past = self.empty((len(names), steps, *shape), np.int32) if history else None
        update = _Update(
            *self.fixed,
            steps,
            counts.size,
            threads,
            0 if acc.shape[0] < steps else counts.size,
            KINDS.index(acc.dtype),
            acc.ctypes.data,
            None if before is None else before.ctypes.data,
            None if after is None else after.ctypes.data,
            spikes.ctypes.data,
            counts.ctypes.data,
            None if past is None else past.ctypes.data,
        )
        held = (self, acc, before, after, spikes, counts, past)
        call = Call(self.run, self.number, self.width, self.joined, update, held=held)
        end = None if after is None else neuron.state_type(*after)
        over_time = {} if past is None else dict(zip(names, past, strict=True))
        return call, Update(spikes, counts, end, over_time)


class _Table(Structure):
    """Table of integer_lanes.h."""

    _fields_ = (
        ("values", c_void_p),
        *((name, c_int32) for name in ("low", "high", "shift", "left", "right")),
    )


class _Update(Structure):
    """Update of integer_update.cpp."""

    _fields_ = (
        *((name, c_int32) for name in ("low", "high", "factor_bits")),
        *((name, c_void_p) for name in ("constants", "tables", "varying")),
        ("weights", Weights),
        *((n, c_int64) for n in ("steps", "size", "threads", "accumulator_stride", "kind")),
        *((name, c_void_p) for name in ("accumulators", "before", "after")),
        *((name, c_void_p) for name in ("spikes", "counts", "history")),
    )


def _has_narrow_lanes(source: Source) -> bool:
    """Whether a library has lanes of 16 bits."""
    found = library(source)
    assert found is not None, "callers ask `applies` first"
    return bool(c_int64.in_dll(found, "arlif_integer_narrow").value)


class Field(NamedTuple):
    """Where one table's values lie in those that several tables share."""

    values: NDArray[np.int32]
    first: int
    bits: int


def _packed(neuron: IntegerNeuron, kernel: IntegerKernel) -> dict[str, Field]:
    """Tables that are read together, as fields of one; none where some do not fit."""
    found: dict[str, Field] = {}
    for names in kernel.joined:
        tables = [neuron.tables[name] for name in names]
        fields = joined_fields(tables)
        if fields is None:
            return {}
        shared = np.zeros(tables[0].values.size, np.uint32)
        for table, (first, bits) in zip(tables, fields, strict=True):
            field = table.values.astype(np.uint32) & np.uint32((1 << bits) - 1)
            shared |= field << np.uint32(first)
        values = shared.view(np.int32)
        found |= {name: Field(values, *at) for name, at in zip(names, fields, strict=True)}
    return found


def _cells(table: LookupTable, field: Field | None) -> tuple[NDArray[np.int32], tuple[int, ...]]:
    """The values of a table, and what else _Table says of it."""
    cells = (table.low, table.high, table.shift)
    if field is None:
        return table.values, (*cells, 0, 0)
    return field.values, (*cells, 32 - field.first - field.bits, 32 - field.bits)
