"""The torch.fx graph of a NIR graph, sources first."""

import operator

from torch import fx, nn

from arlif import layers
from arlif.base.errors import FormatError, require
from arlif.core.maps import Shape
from arlif.core.network import INPUT, READOUT, OverTime
from export.nir.cycles import loop
from export.nir.fields import integers, numbers
from export.nir.foreign_neurons import INTEGRATORS, NEURONS, neuron
from export.nir.linear_layers import LAYERS, delay, head
from export.nir.node_list import Node, module_name, summed_shape
from export.nir.regions import Region, regions


class Build:
    """A network under way.

    dt: seconds per time step. over: which time step is the answer; None: all. warnings: what a user
    should know.
    """

    def __init__(self, nodes: list[Node], dt: float | None, over: OverTime | None) -> None:
        self.dt, self.over = dt, over
        self.graph = fx.Graph()
        self.nodes = {node.name: node for node in nodes}
        self.shapes: dict[str, Shape] = {}
        self.values: dict[str, fx.Node] = {}
        self.root = nn.Module()
        self.warnings: list[str] = []
        inside = {name: region for region in regions(nodes) for name in region.names}
        for node in nodes:
            if node.name in self.values:
                continue
            if node.name in inside:
                self._add_loop(inside[node.name])
            else:
                self._add(node)

    def module(self) -> fx.GraphModule:
        """The finished network."""
        return fx.GraphModule(self.root, self.graph)

    def _add(self, node: Node) -> None:
        """Append one node."""
        if node.kind == "Input":
            self.shapes[node.name] = _input_shape(node)
            self.values[node.name] = self.graph.placeholder("x")
            return
        if node.kind == "Output":
            self._flatten_sources(node)
        shape, total = self._sum(node)
        if node.kind in NEURONS + INTEGRATORS:
            driven = neuron(node, shape, self.dt)
            self.warnings += [driven.warning] if driven.warning else []
            if driven.scale is not None:
                total = self._call(f"{node.name}_gain", driven.scale, total)
            total = self._call(node.name, driven.layer, total)
        elif node.kind in LAYERS:
            last = all(self.nodes[name].kind == "Output" for name in self._goes_to(node.name))
            layer, shape = (head if last else LAYERS[node.kind])(node, shape)
            total = self._call(node.name, layer, total)
        elif node.kind == "Delay" and delay(node, self.dt):
            total = self._call(node.name, layers.Delay(delay(node, self.dt)), total)
        elif node.kind == "Output":
            if self.over is not None:
                layer = layers.Last() if self.over is OverTime.LAST else layers.Largest()
                total = self._call(f"{node.name}_{self.over.value}", layer, total)
            self.graph.output(total)
        self.shapes[node.name], self.values[node.name] = shape, total

    def _add_loop(self, region: Region) -> None:
        """Append every node of a region as one layer."""
        made = loop(region, self.shapes[region.given], self.dt)
        self.warnings += made.warnings
        self.shapes |= made.shapes
        value = self._call(made.name, made.layer, self.values[region.given])
        self.values |= dict.fromkeys(region.names, value)

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

    def _sum(self, node: Node) -> tuple[Shape, fx.Node]:
        shape = summed_shape(node, self.shapes)
        first, *rest = (self.values[source] for source in node.sources)
        for term in rest:
            first = self.graph.call_function(operator.add, (first, term))
        return shape, first

    def _goes_to(self, name: str) -> list[str]:
        return [node.name for node in self.nodes.values() if name in node.sources]

    def _target(self, name: str) -> str:
        """A module name: none of nn.Module's own, none that arlif reserves."""
        return module_name(name, lambda word: hasattr(self.root, word) or word in (INPUT, READOUT))


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
