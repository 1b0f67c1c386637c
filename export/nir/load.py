"""Any feed-forward NIR graph as a torch network over [T, N, ...]."""

import operator
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from arlif import layers
from arlif.base.errors import ArlifError, FormatError, require
from arlif.base.files import StrPath
from arlif.core.maps import Shape
from arlif.core.network import INPUT, READOUT
from arlif.neurons import LIF, SpikingNeuron
from export.hdf5 import Tree, read_tree
from export.nir.fields import integers, numbers
from export.nir.foreign_neurons import NEURONS, neuron
from export.nir.linear_layers import LAYERS, head
from export.nir.node_list import Node, read_graph
from export.nir.write_native import PROFILE as NATIVE
from export.records import value


@dataclass(frozen=True)
class ImportedNetwork:
    """A torch network over [T, N, *input_shape].

    static: whether the file says that one frame is shown at every time step.
    """

    module: nn.Module
    input_shape: Shape
    static: bool


def load_nir(path: StrPath, dt: float | None = None) -> ImportedNetwork:
    """Read a NIR file, whoever wrote it, as layers of arlif.

    dt: seconds per time step, where the file does not say it. 1-D signals (C, L) become (C, 1, L).
    Raises FormatError naming every node that has no counterpart, and whatever is broken.
    """
    tree = read_tree(path)
    try:
        return network_of(tree.get("node"), dt)
    except ArlifError as error:
        raise FormatError(f"{path}: {error}") from None


def network_of(tree: Any, dt: float | None) -> ImportedNetwork:
    """The network that the tree of a NIR graph describes; errors as in `load_nir`."""
    nodes = read_graph(tree)
    about = _about(tree)
    require(
        about.get("profile") != NATIVE,
        "this is a quantized network, not a float one; read it with read_nir",
        FormatError,
    )
    strange = [f"{n.name} ({n.kind})" for n in nodes if n.kind not in KNOWN]
    require(
        not strange,
        f"these nodes have no counterpart: {', '.join(strange)}; known are {', '.join(KNOWN)}",
        FormatError,
    )
    build = _Build(nodes, _time_step(about, dt))
    for node in nodes:
        build.add(node)
    static = "static" in about and value(bool, about["static"], "metadata/arlif/static")
    return ImportedNetwork(build.module(), build.shapes[nodes[0].name], static)


KNOWN = ("Input", "Output", "Identity", *LAYERS, *NEURONS)


def _about(tree: Tree) -> Tree:
    metadata = tree.get("metadata")
    about = metadata.get("arlif") if isinstance(metadata, dict) else None
    return about if isinstance(about, dict) else {}


def _time_step(about: Tree, given: float | None) -> float | None:
    noted = value(float, about["dt"], "metadata/arlif/dt") if "dt" in about else None
    require(
        given is None or noted is None or given == noted,
        f"dt is given as {given}, but the file was written for {noted}",
        FormatError,
    )
    dt = noted if given is None else given
    require(
        dt is None or (np.isfinite(dt) and dt > 0), f"dt must be positive, not {dt}", FormatError
    )
    return dt


class _Build:
    """The torch.fx graph while nodes are added, sources first."""

    def __init__(self, nodes: list[Node], dt: float | None) -> None:
        self.dt = dt
        self.graph = fx.Graph()
        self.nodes = {node.name: node for node in nodes}
        self.shapes: dict[str, Shape] = {}
        self.values: dict[str, fx.Node] = {}
        self.layers: dict[str, nn.Module] = {}
        self.root = nn.Module()

    def add(self, node: Node) -> None:
        """Append one node."""
        if node.kind == "Input":
            self.shapes[node.name] = _input_shape(node)
            self.values[node.name] = self.graph.placeholder("x")
            return
        if node.kind == "Output":
            self._flatten_sources(node)
        shape, total = self._sum(node)
        if node.kind in LAYERS:
            last = all(self.nodes[name].kind == "Output" for name in self._goes_to(node.name))
            layer, shape = (head if last else LAYERS[node.kind])(node, shape)
        elif node.kind in NEURONS:
            layer, factor = neuron(node, shape, self.dt)
            if factor != 1:
                self._scale_input(node, layer, factor)
        else:
            self.shapes[node.name], self.values[node.name] = shape, total
            if node.kind == "Output":
                self.graph.output(total)
            return
        self.layers[node.name], self.shapes[node.name] = layer, shape
        self.values[node.name] = self._call(node.name, layer, total)

    def _call(self, name: str, layer: nn.Module, value: fx.Node) -> fx.Node:
        target = self._target(name)
        self.root.add_module(target, layer)
        return self.graph.call_module(target, (value,))

    def _flatten_sources(self, output: Node) -> None:
        """What arrives as (C, 1, 1) leaves as (C,)."""
        for name in output.sources:
            if self.shapes[name][1:] == (1, 1):
                self.shapes[name] = self.shapes[name][:1]
                flatten = layers.Flatten()
                self.values[name] = self._call(f"{name}_flat", flatten, self.values[name])

    def module(self) -> fx.GraphModule:
        """The finished network."""
        return fx.GraphModule(self.root, self.graph)

    def _sum(self, node: Node) -> tuple[Shape, fx.Node]:
        shapes = {self.shapes[source] for source in node.sources}
        require(
            len(shapes) == 1,
            f"{node.name} sums different shapes, {', '.join(map(str, sorted(shapes)))}",
            FormatError,
        )
        first, *rest = (self.values[source] for source in node.sources)
        for term in rest:
            first = self.graph.call_function(operator.add, (first, term))
        return shapes.pop(), first

    def _scale_input(self, node: Node, layer: SpikingNeuron, factor: float) -> None:
        """Multiply the weights before a neuron, or divide the threshold of a plain LIF."""
        found = [self._weights_before(source, node.name) for source in node.sources]
        if all(weighted is not None for weighted in found):
            with torch.no_grad():
                for parameter in (p for weighted in found for p in weighted or ()):
                    parameter.mul_(factor)
            return
        require(
            isinstance(layer, LIF),
            f"{node.name}: its input must come from weights of its own, so that they can take up "
            f"the factor {factor}; write the file with the convention `exact`",
            FormatError,
        )
        assert isinstance(layer, LIF)
        layer.v_threshold /= factor

    def _weights_before(self, name: str, only: str) -> list[nn.Parameter] | None:
        """The weights and biases that reach `only` through pools alone and go nowhere else."""
        node = self.nodes[name]
        if self._goes_to(name) != [only]:
            return None
        if node.kind in WEIGHTED:
            return list(self.layers[name].parameters())
        if node.kind in ("SumPool2d", "AvgPool2d", "Identity"):
            found = [self._weights_before(source, name) for source in node.sources]
            if all(weighted is not None for weighted in found):
                return [p for weighted in found for p in weighted or ()]
        return None

    def _goes_to(self, name: str) -> list[str]:
        return [node.name for node in self.nodes.values() if name in node.sources]

    def _target(self, name: str) -> str:
        """A module name: no dots, none of nn.Module's own, none that arlif reserves."""
        target = re.sub(r"\W", "_", name)
        while hasattr(self.root, target) or target in (INPUT, READOUT, ""):
            target += "_"
        return target


WEIGHTED = ("Linear", "Affine", "Conv1d", "Conv2d")


def _input_shape(node: Node) -> Shape:
    count = numbers(node, "shape").size
    shape = integers(node, "shape", count)
    require(
        1 <= len(shape) <= 3 and min(shape) >= 1,
        f"{node.name} has shape {shape}; networks take (features,), (C, L) or (C, H, W), "
        "without a batch dimension",
        FormatError,
    )
    return (shape[0], 1, shape[1]) if len(shape) == 2 else shape
