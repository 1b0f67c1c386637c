"""AR-LIF of quantization-aware training as one torch operation that saves only its input."""

from ctypes import CDLL, Structure, byref, c_double, c_int64, c_void_p, sizeof
from typing import Any

import torch
from torch import Tensor

from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.tables import LookupTable
from arlif.kernels.build import library, loaded

STORAGE = (torch.float32, torch.float64)


class _Table(Structure):
    """Table of quantized.cpp."""

    _fields_ = (("values", c_void_p), ("low", c_int64), ("last", c_int64), ("shift", c_int64))


class _Neuron(Structure):
    """Neuron of quantized.cpp."""

    _fields_ = (
        *((name, _Table) for name in ("threshold", "gate", "drive", "reset")),
        *((name, c_double) for name in ("decay", "low", "high", "one", "gate_one", "width")),
        *((name, c_double) for name in ("alpha", "beta")),
        ("memory", c_int64),
    )


class _Call(Structure):
    """Call of quantized.cpp."""

    _fields_ = tuple((name, c_int64) for name in ("steps", "size", "stride", "threads"))


class QuantizedArlif(torch.autograd.Function):
    """Spikes, 0.0 or 1.0, of raw currents x [T, N, ...] from zero states, where `applies(x)`.

    alpha, beta: tensors whose integers `neuron` holds. width: of the surrogate, in real units.
    The results are those of the loop over time steps on QatOps.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, alpha: Tensor, beta: Tensor, neuron: IntegerNeuron, width: float
    ) -> Tensor:
        x = x if _is_constant(x) else x.contiguous()
        spikes = torch.empty(x.shape, dtype=x.dtype)
        ctx.save_for_backward(x, alpha, beta)
        ctx.neuron, ctx.width = neuron, width
        numbers = _numbers(neuron, alpha, beta, width)
        _library().arlif_quantized_forward(*_call(x), byref(numbers), *_addresses(x, spikes))
        return spikes

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        x, alpha, beta = ctx.saved_tensors
        of_x = torch.empty(x.shape, dtype=x.dtype)
        of_parameters = torch.zeros(2, dtype=torch.float64)
        numbers = _numbers(ctx.neuron, alpha, beta, ctx.width)
        tensors = (x, grad[0].contiguous(), of_x, of_parameters)
        _library().arlif_quantized_backward(*_call(x), byref(numbers), *_addresses(*tensors))
        of_alpha, of_beta = of_parameters
        return of_x, of_alpha.to(alpha.dtype), of_beta.to(beta.dtype), None, None


def applies(x: Tensor) -> bool:
    """Whether QuantizedArlif can run on x here."""
    return x.device.type == "cpu" and x.dtype in STORAGE and library() is not None


def _library() -> CDLL:
    return loaded("arlif_quantized_layout", *map(sizeof, (_Table, _Neuron, _Call)))


def _is_constant(x: Tensor) -> bool:
    """Whether every time step reads the same memory."""
    return x.stride(0) == 0 and x[0].is_contiguous()


def _call(x: Tensor) -> tuple[Any, ...]:
    size = x[0].numel()
    stride = 0 if _is_constant(x) else size
    return int(x.dtype == torch.float64), byref(
        _Call(len(x), size, stride, torch.get_num_threads())
    )


def _numbers(neuron: IntegerNeuron, alpha: Tensor, beta: Tensor, width: float) -> _Neuron:
    state = neuron.state_format
    tables = (neuron.threshold, neuron.gate, neuron.drive, neuron.reset)
    return _Neuron(
        *(_table(table) for table in tables),
        neuron.decay / (1 << neuron.factor_bits),
        state.low,
        state.high,
        state.one,
        neuron.one,
        width * state.one,
        float(alpha),
        float(beta),
        neuron.memory,
    )


def _table(table: LookupTable) -> _Table:
    return _Table(table.values.ctypes.data, table.low, table.values.size - 1, table.shift)


def _addresses(*tensors: Tensor) -> tuple[c_void_p, ...]:
    return tuple(c_void_p(tensor.data_ptr()) for tensor in tensors)
