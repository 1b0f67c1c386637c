"""Neurons of quantization-aware training as one torch operation that saves only its input."""

from collections.abc import Mapping
from ctypes import Structure, addressof, c_int64, c_void_p
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from arlif.core.graph import Op
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.units import Unit, integer_units
from arlif.kernels import cpu
from arlif.kernels.build import Source, library
from arlif.kernels.kernel import Kernel
from arlif.kernels.layout import like, like_steps, readable
from arlif.kernels.quantized_printer import printed, tables_of

EXACT = 1 << 24
"""Integers up to this, and no others, are all exact in float32."""


class _Held(Structure):
    """Held of quantized.h."""

    _fields_ = (
        ("values", c_void_p),
        *((name, c_int64) for name in ("entries", "first", "shift", "low", "high")),
    )


def applies(kernel: Kernel, x: Tensor, neuron: IntegerNeuron) -> bool:
    """Whether `run` can do the work of the loop."""
    domains = {(t.low, t.shift, t.values.size) for t in neuron.tables.values()}
    floats = (torch.float32, torch.float64)
    return (
        x.device.type == "cpu"
        and x.dtype in floats
        and len(domains) <= 1
        and library(placed(kernel)[0]) is not None
    )


def run(
    kernel: Kernel, x: Tensor, constants: Mapping[str, Any], neuron: IntegerNeuron, width: float
) -> Tensor:
    """Spikes, 0.0 or 1.0, of raw currents x [T, N, ...] from zero states, where `applies`.

    kernel: of a quantized_graph, all of whose constants are tensors. constants: numbers or tensors
    by the graph's names. neuron: the integers that they are now. width: of the surrogate, in real
    units. The results are those of the loop over time steps on QatOps.
    """
    dtype = torch.float32 if _is_exact_in_float32(neuron) else torch.float64
    given = [torch.as_tensor(constants[name], dtype=torch.float64) for name in kernel.tensors]
    raw = width * neuron.state_format.one
    spikes: Tensor = _Run.apply(readable(x.to(dtype)), kernel, neuron, raw, *given)  # type: ignore[no-untyped-call]
    return spikes.to(x.dtype)


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, kernel: Kernel, neuron: IntegerNeuron, width: float, *given: Tensor
    ) -> Tensor:
        ctx.save_for_backward(x, *given)
        ctx.kernel, ctx.width, ctx.tables = kernel, width, _tables(neuron, x.dtype)
        ctx.held = _held(neuron, ctx.tables)
        spikes = like(x)
        _call(ctx, x, given, {"out": spikes})
        return spikes

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        x, *given = ctx.saved_tensors
        kernel: Kernel = ctx.kernel
        of_spikes = like(x).copy_(grad[0])
        of_x, sums = like(x), torch.zeros(len(kernel.sums), dtype=torch.float64)
        shares = like_steps(x, len(kernel.of_spread), x.dtype)
        results = {"out": of_x, "of_spread": shares, "of_numbers": sums}
        _call(ctx, x, given, {"of_spikes": of_spikes, **results})
        found = dict(zip(kernel.sums, sums, strict=True))
        found |= dict(zip(kernel.of_spread, shares, strict=True))
        of_given = (
            found[name].double().sum_to_size(value.shape) if name in found else None
            for name, value in zip(kernel.tensors, given, strict=True)
        )
        return of_x, None, None, None, *of_given


def _call(ctx: Any, x: Tensor, given: Any, tensors: dict[str, Tensor | None]) -> None:
    kernel: Kernel = ctx.kernel
    held = addressof(ctx.held)
    cpu.call(placed(kernel), kernel, x, list(given), [ctx.width], tensors, held)


@cache
def placed(kernel: Kernel) -> tuple[Source, int]:
    """The library that a kernel is in, and its number there."""
    return Source(("real.cpp",), printed((kernel,))), 0


def _tables(neuron: IntegerNeuron, dtype: torch.dtype) -> Tensor:
    """Values of all tables [tables, entries] as the kernel numbers them, factors in units of 1."""
    units = integer_units(neuron.graph)
    values = [
        neuron.tables[name].values / (neuron.one if units[name] is Unit.FACTOR else 1)
        for name in tables_of(neuron.graph)
    ]
    return torch.tensor(np.array(values), dtype=dtype)


def _held(neuron: IntegerNeuron, values: Tensor) -> _Held:
    state = neuron.state_format
    first, shift, entries = 0, 0, 0
    for table in neuron.tables.values():
        first, shift, entries = table.low, table.shift, table.values.size
    return _Held(values.data_ptr(), entries, first, shift, state.low, state.high)


def _is_exact_in_float32(neuron: IntegerNeuron) -> bool:
    """Whether all numbers of a step are: values, products before they are rounded, and cells."""
    reach = [max(-low, high) for low, high in neuron.intervals()]
    products = [
        reach[node.args[0]] * reach[node.args[1]]
        for node in neuron.graph.nodes
        if node.op is Op.MULTIPLY
    ]
    cells = [max(-table.low, table.high) for table in neuron.tables.values()]
    return max(*reach, *products, *cells, neuron.state_format.one) <= EXACT
