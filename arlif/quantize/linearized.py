"""The network between torch and integers: neurons joined by real-valued linear maps.

Batch norm, pooling factors and shortcuts are absorbed, so that every population receives
    current = sum over terms of W (pooled spikes) + bias
and nothing else is left to quantize than W, bias and the neuron.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from arlif.core.integer_neurons import Numbers
from arlif.core.maps import LinearMap, Shape, Window
from arlif.core.network import INPUT, Reading
from arlif.core.neuron import Neuron

Real = NDArray[np.float64]


@dataclass(frozen=True)
class RealConv2d:
    """2-D cross-correlation with real weights [Cout, Cin / groups, kH, kW]."""

    weight: Real
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int

    def output_shape(self, shape: Shape) -> Shape:
        """(Cout, H', W') for an input (Cin, H, W)."""
        height, width = self.weight.shape[2:]
        window = Window((height, width), self.stride, self.padding, self.dilation)
        return (len(self.weight), *window.output_size(shape))


@dataclass(frozen=True)
class RealDense:
    """y = W x over all features, real weights [outputs, inputs]."""

    weight: Real

    def output_shape(self, shape: Shape) -> Shape:
        """(outputs,)"""
        return (len(self.weight),)


@dataclass(frozen=True)
class Term:
    """scale * maps(source): maps before the weights, the weights if any, maps after them.

    delay: time steps that what the source sends waits. pools: windows whose OR, one after another,
    is what the maps are applied to in place of the source's spikes.
    """

    source: str
    before: tuple[LinearMap, ...] = ()
    weights: RealConv2d | RealDense | None = None
    after: tuple[LinearMap, ...] = ()
    scale: float = 1.0
    delay: int = 0
    pools: tuple[Window, ...] = ()

    @property
    def synapses(self) -> RealConv2d | RealDense:
        """The weights; every term of a current has them."""
        assert self.weights is not None
        return self.weights

    def pooled(self, pool: LinearMap, factor: float) -> "Term":
        """The term behind one more pooling layer."""
        pooled = replace(self, scale=self.scale * factor)
        if self.weights is None:
            return replace(pooled, before=(*self.before, pool))
        return replace(pooled, after=(*self.after, pool))

    def weighted(self, weights: RealConv2d | RealDense) -> "Term":
        """The term behind its weights, which take up the scale."""
        return replace(
            self, weights=replace(weights, weight=weights.weight * self.scale), scale=1.0
        )

    def per_channel(self, factor: Real) -> "Term":
        """A weighted term with every output channel multiplied by its factor."""
        shape = (-1, *(1 for _ in self.synapses.weight.shape[1:]))
        weight = self.synapses.weight * (self.scale * factor.reshape(shape))
        return replace(self, weights=replace(self.synapses, weight=weight), scale=1.0)


@dataclass(frozen=True)
class Current:
    """A sum of terms plus a bias per channel, before it meets a neuron or the readout."""

    terms: tuple[Term, ...]
    bias: Real
    shape: Shape

    def scaled(self, factor: float) -> "Current":
        """The current times a number."""
        terms = tuple(replace(term, scale=term.scale * factor) for term in self.terms)
        return replace(self, terms=terms, bias=self.bias * factor)


@dataclass(frozen=True)
class LinearizedPopulation:
    """Neurons and the current that drives them.

    numbers: formats of their own; None: what the whole network is quantized to. extra_bits: 0 to 7,
    by which weights are finer than the network's: each becomes two, a projection of high parts and
    one of low parts.
    """

    name: str
    neuron: Neuron
    current: Current
    numbers: Numbers | None = None
    extra_bits: int = 0


@dataclass(frozen=True)
class RealReading:
    """A readout that is the last or the largest of a population's potentials, plus a bias.

    unit: the logit that a potential of 1 stands for. bias: logits, [classes].
    """

    reading: Reading
    unit: float
    bias: Real

    @property
    def shape(self) -> Shape:
        """(classes,)"""
        return self.bias.shape


@dataclass(frozen=True)
class LinearizedNetwork:
    """What torch's graph means to the integer specification, in topological order."""

    input_shape: Shape
    static: bool
    populations: tuple[LinearizedPopulation, ...]
    readout: Current | RealReading

    @property
    def summed(self) -> Current | None:
        """What the readout sums over time; None where it reads potentials."""
        return self.readout if isinstance(self.readout, Current) else None

    @property
    def binary_input(self) -> bool:
        """Whether the input must be 0 or 1, since an OR is taken of it."""
        currents = [p.current for p in self.populations]
        currents += [self.readout] if isinstance(self.readout, Current) else []
        return any(t.source == INPUT and bool(t.pools) for c in currents for t in c.terms)

    @property
    def highest(self) -> int:
        """The highest raw input that it takes."""
        return 1 if self.binary_input else 127
