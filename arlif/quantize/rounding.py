"""Chooses integers for a linearized network: weights, gains, biases, tables, scales.

Weights are rounded against the gains that the hardware will really apply, so the rounding of a gain
costs no accuracy: gain is rounded up first, then weight = round(W / (gain 2**-gain_shift)).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from arlif.base.errors import LoweringError, require
from arlif.core.formats import real_array
from arlif.core.integer_neurons import PRESETS, IntegerNeuron, Numbers
from arlif.core.maps import Conv2d, Dense, LinearMap
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.core.ranges import INT32
from arlif.quantize.linearized import (
    Current,
    LinearizedNetwork,
    LinearizedPopulation,
    Real,
    RealConv2d,
    RealReading,
    Term,
)
from arlif.quantize.neuron_constants import integer_neuron, state_values
from arlif.quantize.scales import branch_shifts, weight_step

GAIN_MAX = 255
SHIFT_MAX = 31


@dataclass(frozen=True)
class Precision:
    """How many bits the quantized network spends. weight_bits: 2 to 8, symmetric."""

    numbers: Numbers = PRESETS["compact16"]
    weight_bits: int = 8

    def __post_init__(self) -> None:
        require(2 <= self.weight_bits <= 8, f"weights take 2 to 8 bits, not {self.weight_bits}")

    @property
    def weight_max(self) -> int:
        """The largest raw weight; the range is symmetric."""
        return (1 << (self.weight_bits - 1)) - 1


def calibrate_input(
    samples: ArrayLike, shape: tuple[int, ...], static: bool, binary: bool = False
) -> Input:
    """The input's scale and raw range from representative real inputs [..., *shape].

    Event counts up to 127 are kept as they are (scale 1); anything else is scaled so that the
    largest magnitude becomes 127. binary: the network takes only 0 and 1, see
    LinearizedNetwork.binary_input. Raises ArlifError on another shape, on NaN, on inputs that are
    all zero, and where they must be binary and are not.
    """
    samples, shape = real_array(samples), tuple(shape)
    require(
        samples.shape[-len(shape) :] == shape,
        f"calibration samples are [..., {', '.join(map(str, shape))}], as the network takes them; "
        f"got {samples.shape}",
    )
    reach = float(np.abs(samples).max(initial=0.0))
    require(
        bool(np.isfinite(samples).all()) and reach > 0,
        "calibration needs finite inputs that are not all zero; check the data",
    )
    if binary:
        require(
            bool(((samples == 0) | (samples == reach)).all()),
            "the network max-pools its input, which only an input of 0 and one other value allows; "
            "pool behind a neuron, or use arlif.layers.AvgPool2d",
        )
        return Input(shape, reach, 0, 1, static)
    counts = not static and reach <= 127 and bool((samples == np.rint(samples)).all())
    low = 0 if samples.min() >= 0 else -127
    return Input(shape, 1.0 if counts else reach / 127, low, 127, static)


def quantize(
    network: LinearizedNetwork, source: Input, precision: Precision, time_steps: int
) -> QuantizedNetwork:
    """The integer network of a linearized one. Raises ArlifError where numbers do not fit."""
    require_source(network, source)
    nodes = [to_population(population, source, precision) for population in network.populations]
    populations = tuple(population for population, _ in nodes)
    if isinstance(network.readout, RealReading):
        readout, projections = to_reading(network.readout, populations), list[Projection]()
    else:
        readout, projections = to_readout(network.readout, source, precision)
    return QuantizedNetwork(
        source,
        populations,
        (*(projection for _, incoming in nodes for projection in incoming), *projections),
        readout,
        time_steps,
    )


def require_source(network: LinearizedNetwork, source: Input) -> None:
    """Raise LoweringError where an input is not that of the network."""
    shows = {True: "one frame at every time step", False: "a frame per time step"}
    require(
        source.shape == network.input_shape,
        f"the network takes inputs {network.input_shape}, the source gives {source.shape}; make it "
        "with calibrate_input(samples, network.input_shape, network.static)",
        LoweringError,
    )
    require(
        source.static == network.static,
        f"the network takes {shows[network.static]}, the source gives {shows[source.static]}; make "
        f"it with static={network.static}",
        LoweringError,
    )
    require(
        not network.binary_input or (source.low, source.high) == (0, 1),
        f"the network max-pools its input, which must be 0 or 1; the source gives {source.low} to "
        f"{source.high}: make it with calibrate_input(..., binary=True), or pool behind a neuron",
        LoweringError,
    )


def to_population(
    population: LinearizedPopulation, source: Input, precision: Precision
) -> tuple[Population, list[Projection]]:
    """Integer neurons and what drives them; raises LoweringError where numbers do not fit."""
    name, current = population.name, population.current
    neuron = integer_neuron(name, population.neuron, population.numbers or precision.numbers)
    limit = precision.weight_max << population.extra_bits
    gain, shift, bias, raw = _drive(name, current, source, neuron, limit)
    incoming = [
        part
        for term, (weight, branch) in zip(current.terms, raw, strict=True)
        for part in _parts(term, name, weight, branch, population.extra_bits)
    ]
    return Population(name, current.shape, neuron, gain, shift, bias), incoming


def _drive(
    name: str, current: Current, source: Input, neuron: IntegerNeuron, limit: int
) -> tuple[NDArray[np.uint8], int, NDArray[np.int32], list[tuple[Real, int]]]:
    """Gain, its shift, the bias, and of each term raw weights up to `limit` and their shift."""
    weights = [_in_source_units(term, source) for term in current.terms]
    shifts = branch_shifts(weights)
    scaled = [w / (1 << s) for w, s in zip(weights, shifts, strict=True)]
    unit = weight_step(scaled, limit) * neuron.state_format.one
    require(
        bool(np.isfinite(unit).all() and unit.max() <= GAIN_MAX),
        f"population {name}: its weights reach {unit.max():.3g} state steps per raw weight, past "
        f"{GAIN_MAX}; use fewer fractional bits or train with smaller weights",
        LoweringError,
    )
    gain_shift = SHIFT_MAX
    while gain_shift and np.ceil(unit.max() * 2.0**gain_shift) > GAIN_MAX:
        gain_shift -= 1
    gain = np.ceil(unit * 2.0**gain_shift).astype(np.uint8)
    step = accumulator_unit(gain, gain_shift, neuron)
    raw = [
        (_rounded(weight / step.reshape(-1, *(1,) * (weight.ndim - 1)), branch, limit), branch)
        for weight, branch in zip(weights, shifts, strict=True)
    ]
    bias = state_values(f"population {name}: a bias", current.bias, neuron.state_format)
    return gain, gain_shift, bias, raw


def accumulator_unit(gain: NDArray[np.uint8], gain_shift: int, neuron: IntegerNeuron) -> Real:
    """The real current that one accumulator step stands for, per channel; gain 0 counts as 1."""
    return np.maximum(gain, 1) / 2.0**gain_shift / neuron.state_format.one


def to_readout(
    current: Current, source: Input, precision: Precision
) -> tuple[Readout, list[Projection]]:
    """The integer readout and what drives it; raises LoweringError where numbers do not fit."""
    weights = [_in_source_units(term, source) for term in current.terms]
    shifts = branch_shifts(weights)
    rows = [w.reshape(1, -1) / (1 << s) for w, s in zip(weights, shifts, strict=True)]
    scale = float(weight_step(rows, precision.weight_max)[0])
    require(scale > 0, "the readout's weights are all zero; train the network first", LoweringError)
    incoming = [
        project(term, READOUT, weight / scale, shift, precision)
        for term, weight, shift in zip(current.terms, weights, shifts, strict=True)
    ]
    return Readout(readout_bias(current.bias, scale), scale), incoming


def to_reading(real: RealReading, populations: tuple[Population, ...]) -> Readout:
    """The integer readout of potentials; raises LoweringError where its bias does not fit."""
    read = next(p for p in populations if p.name == real.reading.population)
    scale = real.unit / read.neuron.state_format.one
    return Readout(readout_bias(real.bias, scale), scale, real.reading)


def readout_bias(bias: Real, scale: float) -> NDArray[np.int32]:
    """The readout's bias in accumulator steps; raises LoweringError where int32 cannot hold it."""
    raw = np.rint(bias / scale)
    require(
        bool((np.abs(raw) <= INT32[1]).all()),
        f"the readout's bias reaches {np.abs(bias).max():.3g}, {np.abs(raw).max():.3g} times the "
        f"step of what it is added to, past int32; train the weights further or with a smaller "
        "bias",
        LoweringError,
    )
    return raw.astype(np.int32)


def source_unit(term: Term, source: Input) -> float:
    """The real value of one raw step of what a term's weights are applied to."""
    return term.scale * (source.scale if term.source == INPUT else 1.0)


def _in_source_units(term: Term, source: Input) -> Real:
    return term.synapses.weight * source_unit(term, source)


def project(term: Term, target: str, weight: Real, shift: int, precision: Precision) -> Projection:
    """The projection of a term whose weights are given in accumulator steps; rounds them."""
    return _projection(term, target, _rounded(weight, shift, precision.weight_max), shift)


def _rounded(weight: Real, shift: int, limit: int) -> Real:
    """Weights in accumulator steps as whole numbers up to `limit`, to be shifted left."""
    return np.clip(np.rint(weight / (1 << shift)), -limit, limit)


def _parts(term: Term, target: str, raw: Real, shift: int, extra_bits: int) -> list[Projection]:
    """A term's projection; weights of more than 8 bits are two, high parts and low parts."""
    if extra_bits == 0:
        return [_projection(term, target, raw, shift)]
    high = np.floor(raw / (1 << extra_bits) + 0.5)
    parts = ((high, shift + extra_bits), (raw - high * (1 << extra_bits), shift))
    return [_projection(term, target, part, by) for part, by in parts]


def _projection(term: Term, target: str, raw: Real, shift: int) -> Projection:
    weight = raw.astype(np.int8)
    linear: LinearMap
    if isinstance(term.weights, RealConv2d):
        real = term.weights
        linear = Conv2d(weight, real.stride, real.padding, real.dilation, real.groups)
    else:
        linear = Dense(weight)
    maps = (*term.before, linear, *term.after)
    return Projection(term.source, target, maps, shift, term.delay, term.pools)
