"""Random linearized networks: the real-valued counterpart of the random quantized networks."""

from dataclasses import replace

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import Numbers
from arlif.core.maps import Conv2d, Dense, Shape, SumPool2d
from arlif.core.network import READOUT, Projection, QuantizedNetwork
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import (
    RealArlif,
    RealClif,
    RealLifHard,
    RealLifSoft,
    RealLifSubtract,
    RealLifWeighted,
)
from arlif.core.tables import TableDomain
from arlif.quantize import Precision
from arlif.quantize.linearized import (
    Current,
    LinearizedNetwork,
    LinearizedPopulation,
    RealConv2d,
    RealDense,
    Term,
)
from support.strategies import networks
from support.strategies_neurons import rngs
from support.user_neurons import Adaptive


@st.composite
def precisions(draw: st.DrawFn) -> Precision:
    """Any weight width, state format, factor width and table size that fit together."""
    bits = draw(st.integers(10, 26))
    frac_bits = draw(st.integers(5, bits - 5))
    entries = 2 ** draw(st.integers(4, min(10, frac_bits + 3)))
    reach = 2.0 ** draw(st.integers(1, 3))
    assume(2 * reach * 2**frac_bits >= entries)
    tables = TableDomain(entries, -reach, reach)
    numbers = Numbers(FixedPointFormat(bits, frac_bits), draw(st.integers(4, 16)), tables)
    return Precision(numbers, draw(st.integers(2, 8)))


def decays() -> st.SearchStrategy[float]:
    """Those that factors of 4 bits keep from 0 and 1, and these."""
    return st.just(0.0) | st.just(1.0) | st.floats(1 / 16, 15 / 16)


@st.composite
def real_neurons(draw: st.DrawFn, shape: Shape) -> Neuron:
    """A neuron of any class that trains, with constants as training leaves them; a user's too."""
    decay, threshold = draw(decays()), draw(st.floats(0.25, 2))
    plain = (RealLifSoft, RealLifHard, RealClif)
    others = (RealLifSubtract, RealLifWeighted, Adaptive)
    kind = draw(st.sampled_from((RealArlif, RealArlif, *others, *plain)))
    if kind is RealArlif:
        alpha, beta = draw(st.floats(0, 1)), draw(st.floats(-1, 1))
        return RealArlif(decay, threshold, alpha, beta, draw(st.booleans()))
    if kind is RealLifSubtract:
        return RealLifSubtract(decay, threshold, draw(st.floats(0.25, 2)), draw(st.floats(0, 1)))
    if kind is RealLifWeighted:
        signs = st.sampled_from((1, -1))
        return RealLifWeighted(draw(signs) * decay, threshold, draw(signs) * draw(decays()))
    if kind is Adaptive:
        strength = draw(rngs()).choice([-0.5, 0.25, 0.75], (shape[0], *(1 for _ in shape[1:])))
        return Adaptive(decay, draw(st.floats(-2, 2)), strength)
    return kind(decay, threshold)


@st.composite
def linearized_networks(draw: st.DrawFn) -> tuple[LinearizedNetwork, QuantizedNetwork]:
    """A real-valued network, and the quantized one whose graph and input it borrows."""
    graph = draw(networks(3))
    rng = draw(rngs())

    def current(name: str, shape: Shape) -> Current:
        terms = [_term(p, graph.shape(p.entering), rng) for p in graph.incoming(name)]
        return Current(tuple(terms), rng.normal(0, 0.3, shape[0]), shape)

    populations = tuple(
        LinearizedPopulation(p.name, draw(real_neurons(p.shape)), current(p.name, p.shape))
        for p in graph.populations
    )
    readout = current(READOUT, graph.readout.shape)
    network = LinearizedNetwork(graph.input.shape, graph.input.static, populations, readout)
    return network, replace(graph, input=replace(graph.input, scale=1 / graph.input.high))


def _term(projection: Projection, shape: Shape, rng: np.random.Generator) -> Term:
    weighted = [m for m in projection.maps if not isinstance(m, SumPool2d)]
    assume(len(weighted) <= 1)
    term = Term(projection.source, scale=float(rng.uniform(0.5, 1)), pools=projection.pools)
    before = True
    for linear in projection.maps:
        if isinstance(linear, SumPool2d):
            term = term.pooled(linear, 1 / (linear.kernel[0] * linear.kernel[1]))
        else:
            before = False
            term = term.weighted(_weights(linear, rng))
        shape = linear.output_shape(shape)
    if before:
        identity = np.ones((shape[0], 1, 1, 1))
        term = term.weighted(
            RealDense(np.eye(shape[0]))
            if len(shape) == 1
            else RealConv2d(identity, (1, 1), (0, 0), (1, 1), shape[0])
        )
    channels = len(term.weights.weight)
    return term.per_channel(rng.uniform(-1.5, 1.5, channels))


def _weights(linear: Conv2d | Dense, rng: np.random.Generator) -> RealConv2d | RealDense:
    inputs = linear.weight[0].size
    weight = rng.normal(0, 2 / np.sqrt(inputs), linear.weight.shape)
    if isinstance(linear, Dense):
        return RealDense(weight)
    return RealConv2d(weight, linear.stride, linear.padding, linear.dilation, linear.groups)
