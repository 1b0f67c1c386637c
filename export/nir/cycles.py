"""Regions of a NIR graph as loops: what goes back arrives one time step later."""

from copy import deepcopy
from dataclasses import dataclass, field

from torch import nn

from arlif.base.errors import FormatError, require
from arlif.core.maps import Shape
from arlif.neurons import SpikingNeuron
from arlif.neurons.recurrent import GIVEN, Connection, Loop
from export.nir.foreign_neurons import NEURONS, neuron
from export.nir.linear_layers import LAYERS, delay
from export.nir.node_list import Node, module_name, summed_shape
from export.nir.regions import Region


@dataclass(frozen=True)
class Made:
    """A loop, its name in the network, the shapes of its nodes, and what a user should know."""

    layer: Loop
    name: str
    shapes: dict[str, Shape]
    warnings: list[str]


@dataclass
class _Path:
    """How a source reaches neurons: layers, last first, and the steps that it waits."""

    source: str
    layers: list[nn.Module] = field(default_factory=list)
    delay: int = 0
    late: bool = False


def loop(region: Region, given: Shape, dt: float | None) -> Made:
    """The layer of a region that is fed with values of shape `given`."""
    shapes, layers, neurons = {region.given: given}, dict[str, nn.Module](), {}
    warnings: list[str] = []
    scales: dict[str, nn.Module] = {}
    for node in region.nodes:
        shape = next(shapes[source] for source in node.sources if source in shapes)
        if node.kind in NEURONS:
            driven = neuron(node, shape, dt)
            assert isinstance(driven.layer, SpikingNeuron)
            neurons[node.name] = driven.layer
            warnings += [driven.warning] if driven.warning else []
            if driven.scale is not None:
                scales[node.name] = driven.scale
        elif node.kind in LAYERS:
            layers[node.name], shape = LAYERS[node.kind](node, shape)
        shapes[node.name] = shape
    for node in region.nodes:
        summed_shape(node, shapes)
    titles = {region.given: GIVEN}
    for name in neurons:
        titles[name] = module_name(name, lambda word: _is_taken(word, titles))
    nodes = {node.name: node for node in region.nodes}
    connections = [
        Connection(
            titles[path.source],
            titles[name],
            _chain(path, scales.get(name)),
            path.delay + path.late,
        )
        for name in neurons
        for path in _paths(nodes[name], nodes, layers, titles, dt)
    ]
    made = Loop(
        {titles[name]: layer for name, layer in neurons.items()}, connections, titles[region.output]
    )
    return Made(made, region.output if len(neurons) == 1 else "loop", shapes, warnings)


def _chain(path: _Path, scale: nn.Module | None) -> nn.Module:
    parts = [*reversed(path.layers), *([] if scale is None else [scale])]
    return parts[0] if len(parts) == 1 else nn.Sequential(*parts)


def _paths(
    target: Node,
    nodes: dict[str, Node],
    layers: dict[str, nn.Module],
    ends: dict[str, str],
    dt: float | None,
) -> list[_Path]:
    """Every way from neurons, or from what the loop is given, to a node; biases come once."""
    found = []
    for source in target.sources:
        node = nodes.get(source)
        if source in ends:
            ways = [_Path(source)]
        else:
            assert node is not None
            ways = _paths(node, nodes, layers, ends, dt)
            if source in layers:
                for index, way in enumerate(ways):
                    way.layers.insert(
                        0, layers[source] if index == 0 else _unbiased(layers[source])
                    )
            if node.kind == "Delay":
                steps = delay(node, dt)
                for way in ways:
                    biased = [part for part in way.layers if _bias(part) is not None]
                    require(
                        not steps or not biased,
                        f"{node.name} (Delay) lies behind biases on a cycle; put it in front of "
                        "the weights",
                        FormatError,
                    )
                    way.delay += steps
        for way in ways:
            way.late = way.late or source in target.late
        found += ways
    return found


def _bias(part: nn.Module) -> nn.Parameter | None:
    found = [getattr(layer, "bias", None) for layer in part.modules()]
    return next((bias for bias in found if bias is not None), None)


def _unbiased(layer: nn.Module) -> nn.Module:
    """A copy without its bias."""
    other = deepcopy(layer)
    for part in other.modules():
        if getattr(part, "bias", None) is not None:
            part.register_parameter("bias", None)
    return other


def _is_taken(word: str, titles: dict[str, str]) -> bool:
    """Whether a ModuleDict that holds these titles cannot hold another one so called."""
    return hasattr(nn.ModuleDict(), word) or word in titles.values()
