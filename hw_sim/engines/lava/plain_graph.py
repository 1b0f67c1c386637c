"""lif.nir as Lava's own processes can say it: links, which add a time step each, and LIF layers.

NIR's LIF, tau dv/dt = v_leak - v + r I, is after an Euler step of DT
v = (1 - DT / tau) v + (DT / tau) (v_leak + r I), and its IF is v = v + DT r I. Lava's LIF is
v = (1 - dv) v + a_in + bias with one dv and one threshold for a whole layer. Both fire on
v > threshold and go to 0. Lava's Dense and Conv have no bias: what comes of it goes into the
bias of the layer behind.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

import nir
import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import LoweringError, require
from arlif.base.files import StrPath
from arlif.core.maps import Shape, Window
from export.nir.conventions import DT

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Link:
    """Weights between two nodes: [out, in], or [Cout, Cin / groups, kH, kW] under a window.

    bias: [C]. shape: of what comes in.
    """

    weight: Real
    shape: Shape
    window: Window | None = None
    groups: int = 1
    bias: Real | float = 0.0

    @property
    def output_shape(self) -> Shape:
        """Of what goes out."""
        if self.window is None:
            return (len(self.weight),)
        return (len(self.weight), *self.window.output_size(self.shape))

    def __call__(self, x: Real) -> Real:
        """[*shape] to [*output_shape], the bias included."""
        bias = np.broadcast_to(self.bias, len(self.weight))
        if self.window is None:
            return self.weight @ x + bias
        patches = self.window.patches(x[None])[0].astype(np.float64)
        grouped = patches.reshape(self.groups, -1, *patches.shape[1:])
        kernel = self.weight.reshape(self.groups, -1, *self.weight.shape[1:])
        out = np.einsum("gchwij,gocij->gohw", grouped, kernel)
        summed: Real = out.reshape(self.output_shape) + bias[:, None, None]
        return summed


Chain = tuple[str, tuple[Link, ...]]
"""The node that it comes from, and the links that it goes through."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Lava's LIF, or what is read at the end, whose threshold is None.

    bias: [*shape]. chains: the node that each comes from, and its links.
    """

    name: str
    shape: Shape
    bias: Real
    chains: tuple[tuple[str, tuple[Link, ...]], ...]
    depth: int
    decay: float = 0.0
    threshold: float | None = None

    @property
    def fires(self) -> bool:
        """Whether it is LIF."""
        return self.threshold is not None


@dataclass(frozen=True, eq=False)
class PlainNetwork:
    """The name and shape of the input, and the layers in order, the last one read at the end."""

    entry: str
    shape: Shape
    layers: list[Layer]

    @property
    def links(self) -> list[Link]:
        """Of all layers."""
        return [link for layer in self.layers for _, links in layer.chains for link in links]


def read_plain(path: StrPath) -> PlainNetwork:
    """plain_network of a file."""
    # NIR's own check of shapes is wrong about groups and kernels that are no squares.
    return plain_network(nir.read(path, type_check=False))


def plain_network(graph: nir.NIRGraph) -> PlainNetwork:
    """A graph in layers; shorter ones of the chains into a layer end with identities.

    Raises LoweringError that names everything that Lava's own processes cannot do.
    """
    found = [
        f"{name}: {reason}" for name, node in graph.nodes.items() for reason in _obstacles(node)
    ]
    sources: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for source, target in graph.edges:
        sources[target].append(source)
    try:
        order = list(TopologicalSorter(sources).static_order())
    except CycleError:
        found.append(
            "it has a loop, and Lava's own synapses cannot forget what is on its way when a sample "
            "ends"
        )
    require(
        not found,
        f"Lava's own processes cannot run it: {'; '.join(found)}; the engine lava runs the "
        "quantized network on processes of ours",
        LoweringError,
    )
    entry = next(n for n, node in graph.nodes.items() if isinstance(node, nir.Input))
    shapes: dict[str, Shape] = {entry: _shape(graph.nodes[entry].input_type["input"])}
    chains: dict[str, list[Chain]] = {entry: [(entry, ())]}
    depths = {entry: 0}
    layers = []
    for name in order:
        node = graph.nodes[name]
        into = [chain for source in sources[name] for chain in chains[source]]
        if isinstance(node, nir.Conv2d | nir.SumPool2d | nir.Affine | nir.Linear):
            chains[name] = []
            for start, links in into:
                link = _link(node, links[-1].output_shape if links else shapes[start])
                once = link if not chains[name] else replace(link, bias=0.0)
                chains[name].append((start, (*links, once)))
        elif name != entry:
            layer = _layer(name, node, into, depths)
            layers.append(layer)
            shapes[name], depths[name], chains[name] = layer.shape, layer.depth, [(name, ())]
    return PlainNetwork(entry, shapes[entry], sorted(layers, key=lambda layer: not layer.fires))


def _obstacles(node: nir.NIRNode) -> Iterator[str]:
    kind = type(node).__name__
    known = (nir.Input, nir.Output, nir.Conv2d, nir.SumPool2d, nir.Affine, nir.Linear)
    if isinstance(node, nir.LI | nir.I | nir.CubaLI):
        yield f"it is read as a potential ({kind}), and Lava's own neurons send spikes alone"
    elif isinstance(node, nir.LIF | nir.IF):
        if np.any(node.v_reset):
            yield "it resets to another value than 0, to which Lava's own LIF resets"
        names = ("v_threshold", "r", *(("tau",) if isinstance(node, nir.LIF) else ()))
        if many := [n for n in names if np.ptp(getattr(node, n)) > 0]:
            yield f"{' and '.join(many)} differ within the layer; Lava's own LIF has one for all"
    elif not isinstance(node, known):
        yield f"only LIF, IF, weights and sum pools are brought to Lava, and no {kind}"


def _layer(
    name: str,
    node: nir.NIRNode,
    chains: list[Chain],
    depths: dict[str, int],
) -> Layer:
    """A layer with the links into it multiplied by what its current is multiplied with."""
    gain, decay, threshold, leak = 1.0, 0.0, None, _real(0.0)
    if isinstance(node, nir.LIF | nir.IF):
        threshold, gain = float(node.v_threshold.flat[0]), DT * float(node.r.flat[0])
    if isinstance(node, nir.LIF):
        decay = DT / float(node.tau.flat[0])
        gain, leak = decay * float(node.r.flat[0]), decay * _real(node.v_leak)
    depth = max(depths[start] + max(len(links), 1) for start, links in chains)
    even = []
    for start, links in chains:
        shape = links[-1].output_shape if links else node.input_type["input"]
        rest = [_identity(_shape(shape))] * (depth - depths[start] - len(links))
        *first, last = (*links, *rest)
        driven = replace(last, weight=last.weight * gain, bias=np.multiply(last.bias, gain))
        even.append((start, (*first, driven)))
    shape = even[0][1][-1].output_shape
    bias = np.broadcast_to(leak, shape) + sum(_of_nothing(links) for _, links in even)
    return Layer(name, shape, bias, tuple(even), depth, decay, threshold)


def _of_nothing(links: tuple[Link, ...]) -> Real:
    """What links send where nothing comes in: what their biases become."""
    x = np.zeros(links[0].shape)
    for link in links:
        x = link(x)
    return x


def _link(node: Any, shape: Shape) -> Link:
    if isinstance(node, nir.Affine | nir.Linear):
        return Link(_real(node.weight), shape, bias=_real(getattr(node, "bias", 0.0)))
    if isinstance(node, nir.SumPool2d):
        kernel, stride, padding = (
            _pair(size) for size in (node.kernel_size, node.stride, node.padding)
        )
        ones = np.ones((shape[0], 1, *kernel))
        return Link(ones, shape, Window(kernel, stride, padding, (1, 1)), shape[0])
    window = Window(
        _pair(node.weight.shape[2:]), _pair(node.stride), _pair(node.padding), _pair(node.dilation)
    )
    return Link(_real(node.weight), shape, window, int(node.groups), _real(node.bias))


def _identity(shape: Shape) -> Link:
    if len(shape) == 1:
        return Link(np.eye(shape[0]), shape)
    ones = np.ones((shape[0], 1, 1, 1))
    return Link(ones, shape, Window((1, 1), (1, 1), (0, 0), (1, 1)), shape[0])


def _real(numbers: Any) -> Real:
    return np.asarray(numbers, np.float64)


def _pair(sizes: Any) -> tuple[int, int]:
    height, width = np.broadcast_to(sizes, 2)
    return int(height), int(width)


def _shape(sizes: Any) -> Shape:
    return tuple(int(size) for size in sizes)
