"""The layers of a SLAYER file, appended one after another to a network under way."""

from collections.abc import Callable, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from arlif.core.loihi import ALIGNMENT
from arlif.core.maps import Conv2d, Dense, LinearMap, Shape, chain_shape
from arlif.core.network import INPUT, READOUT, Input, Population, Projection, Readout
from export.slayer.cuba import read_neuron
from export.slayer.group import LARGEST, Group
from export.slayer.weights import Weights, eight_bit_parts, packed_without_loss

BIAS = 1 << 15
"""Lava's simulator holds biases in 16 bits, three more than Loihi."""

DEFAULT_INPUT_WEIGHT = 64
"""What netx takes where the input layer has no weight."""

Parts = Sequence[tuple[LinearMap, int]]
"""Parallel projections: a map and its shift each."""


class Chain:
    """A network under way, and the node that the next layer is connected to."""

    def __init__(self) -> None:
        self.populations: list[Population] = []
        self.projections: list[Projection] = []
        self.readout: Readout | None = None
        self.source: str = INPUT
        self.shape: Shape = ()
        self.flat = False

    def populate(
        self, name: str, shape: Shape, neuron: Group, bias: Weights, drive: int, parts: Parts
    ) -> None:
        """Append a population of CUBA neurons and move on to it.

        bias: mantissas [channels] or [1], added to v; drive: a constant added to the current.
        """
        channels = np.broadcast_to(bias, shape[:1]).reshape(-1, *(1 for _ in shape[1:]))
        gain = np.full(shape[0], ALIGNMENT, np.uint8)
        constant = np.full(shape[0], ALIGNMENT * drive, np.int32)
        cuba = read_neuron(neuron, channels)
        self.populations.append(Population(name, shape, cuba, gain, 0, constant))
        self.connect(name, parts)
        self.source, self.shape, self.flat = name, shape, False

    def connect(self, target: str, parts: Parts) -> None:
        """Project the current source onto `target`; no part means the identity."""
        for linear, shift in parts:
            self.projections.append(Projection(self.source, target, (linear,), shift))
        if not parts:
            self.projections.append(Projection(self.source, target, ()))

    def close(self, classes: int, parts: Parts) -> None:
        """Connect the readout."""
        self.connect(READOUT, parts)
        self.readout = Readout(np.zeros(classes, np.int32))


def read_input(chain: Chain, layer: Group, static: bool) -> Input:
    """The input layer: an encoding neuron, or a mere shape."""
    layer.require(layer.text("type") == "input", "the first layer must be of type 'input'")
    chain.shape = _shape(layer)
    if "neuron" not in layer.tree:
        layer.only({"type", "shape"})
        return Input(chain.shape, 1.0, 0, 1, static=False)
    layer.only({"type", "shape", "weight", "bias", "neuron"})
    weight, drive = DEFAULT_INPUT_WEIGHT, 0
    if "weight" in layer.tree:
        weight = layer.integer("weight", 1, 127)
    if "bias" in layer.tree:
        drive = layer.integer("bias", -BIAS, BIAS - 1)
    source = Input(chain.shape, 1 / weight, static=static)
    chain.populate("layer0", chain.shape, layer.group("neuron"), np.zeros(1, np.int64), drive, ())
    return source


def read_dense(chain: Chain, layer: Group, name: str) -> None:
    """A fully connected layer; the last one may go without neuron."""
    layer.only({"type", "shape", "inFeatures", "outFeatures", "weight", "bias", "neuron"})
    layer.require(
        len(chain.shape) == 1 or chain.flat,
        f"a dense layer behind one of shape {chain.shape} needs a flatten layer between them",
    )
    features = prod(_shape(layer))
    weight = layer.integers("weight")
    layer.require(
        weight.size == features * prod(chain.shape),
        f"{weight.size} weights do not join shape {chain.shape} to {features} neurons",
    )
    weight = weight.reshape(features, -1)
    layer.require(
        packed_without_loss(weight),
        f"netx would not use the weights, {weight.min()} to {weight.max()}, as they are, when it "
        "packs them into 8 bits and a sign; quantize to even numbers of both signs within +-254",
    )
    parts = [(Dense(part), shift) for part, shift in eight_bit_parts(weight)]
    bias = _bias(layer, features)
    if "neuron" in layer.tree:
        chain.populate(name, (features,), layer.group("neuron"), bias, 0, parts)
    else:
        layer.require(not bias.any(), "a layer without neuron cannot have a bias")
        chain.close(features, parts)


def read_conv(chain: Chain, layer: Group, name: str) -> None:
    """A convolution in torch's convention."""
    geometry = {"kernelSize", "stride", "padding", "dilation", "groups"}
    channels = {"inChannels", "outChannels"}
    layer.only({"type", "shape", "weight", "bias", "neuron"} | geometry | channels)
    weight = layer.integers("weight")
    if weight.shape[4:] == (1,):
        weight = weight[..., 0]
    _convolve(chain, layer, name, weight, layer.integer("groups", 1, 1 << 16))


def read_pool(chain: Chain, layer: Group, name: str) -> None:
    """A pooling layer: SLAYER weights and sums a window, with one kernel for every channel."""
    geometry = {"kernelSize", "stride", "padding", "dilation"}
    layer.only({"type", "shape", "weight", "neuron"} | geometry)
    kernel = layer.pair("kernelSize")
    weight = layer.integers("weight")
    layer.require(weight.size == prod(kernel), "a pool has one weight per position of its kernel")
    channels = chain.shape[0]
    weight = np.tile(weight.reshape(1, 1, *kernel), (channels, 1, 1, 1))
    _convolve(chain, layer, name, weight, channels)


def read_flatten(chain: Chain, layer: Group, name: str) -> None:
    """C order, which every dense map reads its source in."""
    layer.only({"type", "shape"})
    chain.flat = True


LAYERS: dict[str, Callable[[Chain, Group, str], None]] = {
    "dense": read_dense,
    "conv": read_conv,
    "pool": read_pool,
    "flatten": read_flatten,
}
"""Every layer behind the input, by its type in the file."""


def _convolve(chain: Chain, layer: Group, name: str, weight: Weights, groups: int) -> None:
    layer.require(
        weight.ndim == 4 and weight.shape[2:] == layer.pair("kernelSize"),
        f"weights of shape {weight.shape} do not match kernelSize",
    )
    layer.require(
        bool((np.abs(weight) <= 255).all()),
        f"weights must lie in [-255, 255]; these reach {weight.min()} to {weight.max()}",
    )
    layer.require(not chain.flat, "a convolution cannot follow a flatten layer")
    window = layer.pair("stride"), layer.pair("padding"), layer.pair("dilation")
    parts = [(Conv2d(part, *window, groups), shift) for part, shift in eight_bit_parts(weight)]
    shape, found = chain_shape((parts[0][0],), chain.shape), _shape(layer)
    layer.require(shape == found, f"the shape is {found}, but its geometry gives {shape}")
    chain.populate(name, shape, layer.group("neuron"), _bias(layer, shape[0]), 0, parts)


def _shape(layer: Group) -> Shape:
    shape = tuple(layer.integers("shape").reshape(-1).tolist())
    layer.require(
        len(shape) in (1, 3) and min(shape) >= 1 and prod(shape) <= LARGEST,
        f"a shape is (features) or (C, H, W) of at most {LARGEST} neurons, not {shape}",
    )
    return shape


def _bias(layer: Group, channels: int) -> NDArray[np.int64]:
    if "bias" not in layer.tree:
        return np.zeros(1, np.int64)
    bias = layer.integers("bias").reshape(-1)
    layer.require(
        bias.size in (1, channels) and bool((bias >= -BIAS).all() and (bias < BIAS).all()),
        f"the bias must hold {channels} integers in [{-BIAS}, {BIAS - 1}]",
    )
    return bias
