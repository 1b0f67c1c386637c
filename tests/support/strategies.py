"""Random quantized networks and inputs for property tests (hypothesis).

Structure is drawn by hypothesis, so that it shrinks; the contents of arrays come from a drawn seed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from arlif.core.maps import Conv2d, Dense, LinearMap, Shape, SumPool2d, Window, chain_shape
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from support.strategies_neurons import neurons, rngs


@dataclass(frozen=True)
class Case:
    """A network with raw inputs that fit it."""

    network: QuantizedNetwork
    inputs: NDArray[np.int8]
    time_steps: int


LONG = (128, 200, 256, 300)
"""Numbers of time steps past which counts leave int8 and uint8."""

SMALL = 300
"""Neurons up to which a network may run for LONG."""


def _weight(rng: np.random.Generator, shape: Shape) -> NDArray[np.int8]:
    return rng.integers(-127, 128, shape).astype(np.int8)


@st.composite
def convolutions(draw: st.DrawFn, source: Shape) -> Conv2d:
    """A convolution that fits (C, H, W): any stride, padding, dilation and groups, not square."""
    channels, *size = source
    groups = draw(st.sampled_from([g for g in (1, 1, 2, 3) if channels % g == 0]))
    padding = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    room = [n + 2 * p for n, p in zip(size, padding, strict=True)]
    kernel = tuple(draw(st.integers(1, min(3, n))) for n in room)
    dilation = tuple(
        draw(st.integers(1, 2)) if 2 * (k - 1) + 1 <= n else 1
        for k, n in zip(kernel, room, strict=True)
    )
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    outputs = groups * draw(st.integers(1, 2))
    weight = _weight(draw(rngs()), (outputs, channels // groups, *kernel))
    return Conv2d(weight, stride, padding, (dilation[0], dilation[1]), groups)


@st.composite
def pools(draw: st.DrawFn, source: Shape) -> SumPool2d:
    """A sum pooling that fits (C, H, W); windows may overlap or leave gaps."""
    kernel = (draw(st.integers(1, min(3, source[1]))), draw(st.integers(1, min(3, source[2]))))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2)))
    return SumPool2d(kernel, stride, padding)


@st.composite
def ors(draw: st.DrawFn, source: Shape, interval: tuple[int, int]) -> tuple[Window, ...]:
    """Windows of none, one or two ORs that fit a source (C, H, W) of spikes; else none."""
    found: list[Window] = []
    many = draw(st.sampled_from((0, 0, 1, 2))) if len(source) == 3 and interval == (0, 1) else 0
    for _ in range(many):
        pool = draw(pools(source))
        dilation = draw(st.sampled_from((1, 1, 2)))
        fits = all(2 * (k - 1) < n for k, n in zip(pool.kernel, source[1:], strict=True))
        wide = (dilation, dilation) if fits else (1, 1)
        found.append(Window(pool.kernel, pool.stride, pool.padding, wide))
        source = (source[0], *found[-1].output_size(source))
    return tuple(found)


@st.composite
def chains(draw: st.DrawFn, source: Shape) -> tuple[LinearMap, ...]:
    """Linear maps that fit one after another: none, pool, convolution, dense and their chains."""
    maps: list[LinearMap] = []
    steps = ((), ("conv",), ("conv", "pool"), ("pool", "conv"), ("pool",), ("dense",))
    steps = (*steps, ("pool", "dense"), ("conv", "dense")) if len(source) == 3 else ((), ("dense",))
    for step in draw(st.sampled_from(steps)):
        shape = chain_shape(tuple(maps), source)
        if step == "dense":
            outputs = draw(st.integers(1, 6))
            maps.append(Dense(_weight(draw(rngs()), (outputs, int(np.prod(shape))))))
        else:
            maps.append(draw(convolutions(shape) if step == "conv" else pools(shape)))
    return tuple(maps)


@st.composite
def chains_between(draw: st.DrawFn, source: Shape, target: Shape) -> tuple[LinearMap, ...]:
    """A chain from one shape to another."""
    if source == target and draw(st.booleans()):
        return ()
    rng = draw(rngs())
    if len(source) == 1 or len(target) == 1:
        outputs = int(np.prod(target))
        return (Dense(_weight(rng, (outputs, int(np.prod(source))))),)
    geometry = []
    for have, want in zip(source[1:], target[1:], strict=True):
        stride = draw(st.integers(1, 3))
        span = (want - 1) * stride + 1
        padding = max(0, -(-(span - have) // 2))
        geometry.append((have + 2 * padding - (want - 1) * stride, stride, padding))
    kernel, stride, padding = zip(*geometry, strict=True)
    return (Conv2d(_weight(rng, (target[0], source[0], *kernel)), stride, padding),)


@st.composite
def populations(draw: st.DrawFn, name: str, shape: Shape, reach: int) -> Population:
    """A population whose currents are alive or far too large, for accumulators up to `reach`."""
    neuron, rng, channels = draw(neurons(shape)), draw(rngs()), shape[0]
    state = neuron.state_format
    wanted = state.one * 2 ** draw(st.integers(0, 6))
    alive = int(np.clip(np.log2(max(reach, 1) * 128 / wanted), 0, 31))
    gain_shift = draw(st.sampled_from((alive, alive, alive, 0)))
    top = draw(st.sampled_from((min(state.one, state.high), state.high)))
    return Population(
        name,
        shape,
        neuron,
        gain=rng.integers(0, 256, channels).astype(np.uint8),
        gain_shift=gain_shift,
        bias=rng.integers(-top, top + 1, channels).astype(np.int32),
    )


@st.composite
def networks(
    draw: st.DrawFn, max_populations: int = 4, max_steps: int = LONG[-1]
) -> QuantizedNetwork:
    """Feed-forward graphs: shortcuts of any length, several projections into one population, ORs.

    Projections stand in any order, accumulators and the readout's bias reach up to 32 bits.
    """
    side = st.integers(3, 7)
    image = st.tuples(st.integers(1, 3), side, side)
    shape: Shape = draw(st.one_of(image, image, st.tuples(st.integers(1, 8))))
    low, high = draw(st.sampled_from(((-127, 127), (0, 1), (-3, 90), (0, 127))))
    source = Input(shape, draw(st.floats(1e-3, 1.0)), low, high, draw(st.booleans()))
    shapes = {INPUT: shape}
    placed: list[Population] = []
    projections: list[Projection] = []

    def connect(
        sender: str, target: str, maps: tuple[LinearMap, ...], pools: tuple[Window, ...]
    ) -> None:
        wanted = draw(st.sampled_from((0, 0, 1, 3, 24)))
        room = 28 - _reach(Projection(sender, target, maps), source).bit_length()
        shift = max(0, min(wanted, room))
        projections.append(Projection(sender, target, maps, shift, pools=pools))

    def pooled(sender: str) -> tuple[tuple[Window, ...], Shape]:
        windows = draw(ors(shapes[sender], (low, high) if sender == INPUT else (0, 1)))
        shape = shapes[sender]
        for window in windows:
            shape = (shape[0], *window.output_size(shape))
        return windows, shape

    def unused() -> list[str]:
        return [name for name in shapes if all(p.source != name for p in projections)]

    for index in range(draw(st.integers(1, max_populations))):
        name = f"p{index}"
        first = draw(st.sampled_from(unused() or list(shapes)))
        windows, small = pooled(first)
        maps = draw(chains(small))
        target = chain_shape(maps, small)
        connect(first, name, maps, windows)
        for other in draw(st.lists(st.sampled_from(list(shapes)), max_size=2)):
            if not (len(shapes[other]) == 1 and len(target) == 3):
                windows, small = pooled(other)
                connect(other, name, draw(chains_between(small, target)), windows)
        incoming = [p for p in projections if p.target == name]
        reach = sum(_reach(p, source) << p.shift for p in incoming)
        placed.append(draw(populations(name, target, reach)))
        shapes[name] = target
    classes = draw(st.sampled_from((1, 2, 3, 4, 5, 130)))
    for name in unused():
        windows, small = pooled(name)
        connect(name, READOUT, draw(chains_between(small, (classes,))), windows)
    reach = sum(_reach(p, source) << p.shift for p in projections if p.target == READOUT)
    most = draw(st.sampled_from((1000, 2**24, 2**31)))
    top = min(most, 2**31 - 1 - reach)
    bias = draw(rngs()).integers(-top, top + 1, classes).astype(np.int32)
    readout = Readout(bias, draw(st.floats(1e-3, 1.0)))
    few = sum(int(np.prod(shape)) for shape in shapes.values()) <= SMALL
    steps = min(draw(st.integers(1, 6)), max_steps)
    if few and draw(st.sampled_from((False, False, False, True))):
        steps = min(draw(st.sampled_from(LONG)), max_steps)
    order = draw(st.permutations(projections))
    return QuantizedNetwork(source, tuple(placed), tuple(order), readout, steps)


def _reach(projection: Projection, source: Input) -> int:
    interval = (source.low, source.high) if projection.source == INPUT else (0, 1)
    for linear in projection.maps:
        interval = linear.output_interval(interval)
    return max(-interval[0], interval[1])


@st.composite
def inputs_for(
    draw: st.DrawFn, network: QuantizedNetwork, time_steps: int, max_samples: int = 4
) -> NDArray[np.int8]:
    """Raw inputs over the whole range: [N, *shape] (static) or [T, N, *shape]."""
    source, samples = network.input, draw(st.integers(1, max_samples))
    lead: tuple[Any, ...] = (samples,) if source.static else (time_steps, samples)
    rng = draw(rngs())
    return rng.integers(source.low, source.high + 1, (*lead, *source.shape)).astype(np.int8)


@st.composite
def cases(
    draw: st.DrawFn, max_populations: int = 4, max_samples: int = 4, max_steps: int = LONG[-1]
) -> Case:
    """A random network with fitting inputs."""
    network = draw(networks(max_populations, max_steps))
    steps = network.time_steps
    return Case(network, draw(inputs_for(network, steps, max_samples)), steps)
