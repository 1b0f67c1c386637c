"""The trainable weights and bias of one node, and their integer sums with gradients."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional

from arlif.arithmetic.exact import apply_map, convolve, exact_arithmetic, float_type, sum_pool
from arlif.arithmetic.straight_through import substitute
from arlif.core.maps import Conv2d, LinearMap, SumPool2d, chain_magnitude
from arlif.core.network import Input, Projection, QuantizedNetwork
from arlif.quantize.linearized import Current, Real
from arlif.quantize.rounding import source_unit


class TrainableCurrent(nn.Module):
    """A current whose weights and bias are parameters, in real units."""

    def __init__(self, current: Current, source: Input) -> None:
        super().__init__()
        self.current = current
        self.units = [source_unit(term, source) for term in current.terms]
        self.weights = nn.ParameterList(
            torch.tensor(term.synapses.weight, dtype=torch.float32) for term in current.terms
        )
        self.bias = nn.Parameter(torch.tensor(current.bias, dtype=torch.float32))

    def present(self) -> Current:
        """The current with the parameters' present values."""
        terms = [
            replace(term, weights=replace(term.synapses, weight=_array(weight)))
            for term, weight in zip(self.current.terms, self.weights, strict=True)
        ]
        return replace(self.current, terms=tuple(terms), bias=_array(self.bias))

    def accumulator(self, network: QuantizedNetwork, name: str, unit: Real) -> "Accumulator":
        """The node's sums with the parameters' present values, for any number of time steps.

        unit: real current of one accumulator step, per channel.
        """
        terms = []
        for projection, term, weight, scale in zip(
            network.incoming(name), self.current.terms, self.weights, self.units, strict=True
        ):
            place = len(term.before)
            raw = torch.tensor(projection.maps[place].stored_weights()).to(weight)
            per_channel = scale / unit / (1 << projection.shift)
            factor = torch.tensor(per_channel).to(weight).view(-1, *(1,) * (raw.ndim - 1))
            interval = network.source_interval(projection.source)
            exact = float_type(chain_magnitude(projection.maps, interval))
            trained = substitute(weight * factor, raw).to(exact)
            terms.append(_Synapses(projection, place, trained))
        return Accumulator(tuple(terms))


@dataclass(frozen=True, eq=False)
class Accumulator:
    """A node's sums over its projections, whose weights are integers with gradients."""

    terms: "tuple[_Synapses, ...]"

    def __call__(self, arriving: Callable[[Projection], Tensor]) -> Tensor:
        """Float64 [T, N, *shape]; [1, N, *shape] where one frame of every source arrives."""
        return reduce(torch.add, (term(arriving(term.projection)) for term in self.terms))


@dataclass(frozen=True, eq=False)
class _Synapses:
    projection: Projection
    place: int
    weight: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        values = _apply(self.projection, self.place, self.weight, x.to(self.weight))
        return values.double() * (1 << self.projection.shift)


def _apply(projection: Projection, place: int, weight: Tensor, x: Tensor) -> Tensor:
    """A chain on x [T, N, *shape]; the map at `place` has these weights, the others are fixed."""
    folded = x.flatten(0, 1)
    for w in projection.pools:
        folded = functional.max_pool2d(folded, w.kernel, w.stride, w.padding, w.dilation)
    for index, linear in enumerate(projection.maps):
        folded = _weigh(linear, weight, folded) if index == place else _fixed(linear, folded)
    return folded.view(*x.shape[:2], *folded.shape[1:])


def _weigh(linear: LinearMap, weight: Tensor, x: Tensor) -> Tensor:
    """What a RealConv2d or a RealDense becomes, with weights of its own."""
    if isinstance(linear, Conv2d):
        return convolve(x, weight, linear)
    with exact_arithmetic():
        return x.flatten(1) @ weight.t()


def _fixed(linear: LinearMap, x: Tensor) -> Tensor:
    return sum_pool(x, linear) if isinstance(linear, SumPool2d) else apply_map(linear, x)


def _array(parameter: Tensor) -> Real:
    return parameter.detach().cpu().double().numpy()
