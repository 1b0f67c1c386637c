"""Cycles of a NIR graph as loops: what goes back arrives one time step later."""

from copy import deepcopy
from dataclasses import dataclass, field

from torch import nn

from arlif.base.errors import FormatError, require
from arlif.core.maps import Shape
from arlif.neurons import SpikingNeuron
from arlif.neurons.recurrent import GIVEN, Connection, Loop
from export.nir.foreign_neurons import NEURONS, neuron
from export.nir.linear_layers import LAYERS, delay
from export.nir.node_list import Node, module_name


@dataclass(frozen=True)
class Region:
    """Nodes that only one node outside feeds, `given`, and that only one inside, `output`, leaves.

    nodes: sources first, but for late ones.
    """

    nodes: tuple[Node, ...]
    given: str
    output: str

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes' names."""
        return tuple(node.name for node in self.nodes)


@dataclass(frozen=True)
class Made:
    """A loop, its name in the network, the shapes of its nodes, and what a user should know."""

    layer: Loop
    name: str
    shapes: dict[str, Shape]
    warnings: list[str]


def regions(nodes: list[Node]) -> list[Region]:
    """The cycles of a graph with what must be around them to have one way in and one out."""
    plain = [node for node in nodes if node.kind not in NEURONS]
    for node in plain:
        others = {source for source in node.sources if node.name in _reaching(source, plain)}
        require(
            not others,
            f"{node.name} lies on a cycle without a spiking neuron; what goes back are spikes",
            FormatError,
        )
    found: list[set[str]] = []
    for part in _cycles(nodes):
        if not any(part <= region for region in found):
            region = _grown(part, nodes)
            found = [*(other for other in found if not other & region), region]
    return [_region(names, nodes) for names in found]


def _cycles(nodes: list[Node]) -> list[set[str]]:
    """For every late edge, the nodes on cycles through it."""
    parts = []
    for node in nodes:
        for source in node.late:
            after, before = _reached(node.name, nodes), _reaching(source, nodes)
            parts.append(after & before)
    return parts


def _reached(start: str, nodes: list[Node]) -> set[str]:
    found = {start}
    while True:
        more = {n.name for n in nodes if found & set(n.sources)} - found
        if not more:
            return found
        found |= more


def _reaching(end: str, nodes: list[Node]) -> set[str]:
    """The nodes, among some, from which edges lead to a node, itself too."""
    sources = {node.name: node.sources for node in nodes}
    found: set[str] = set()
    waiting = [end]
    while waiting:
        name = waiting.pop()
        if name not in found and name in sources:
            found.add(name)
            waiting += sources[name]
    return found


def _grown(part: set[str], nodes: list[Node]) -> set[str]:
    """A cycle and as few nodes around it as give it one way in and, from neurons, one out."""
    region = set(part)
    kinds = {node.name: node.kind for node in nodes}
    while True:
        entries, leaving, targets = _borders(region, nodes)
        wrong = [name for name in (*entries, *targets) if kinds[name] in ("Input", "Output")]
        if len(entries) > 1:
            grown = [name for name in entries if kinds[name] != "Input"][-1]
        elif len(leaving) > 1 or kinds[leaving[0]] not in NEURONS:
            require(
                not wrong or targets[0] not in wrong,
                f"{', '.join(sorted(part))} lie on a cycle that {' and '.join(leaving)} leave for "
                f"{targets[0]}; let one layer of neurons leave it, or put one behind it",
                FormatError,
            )
            grown = targets[0]
        else:
            return region
        region.add(grown)
        for name in tuple(region):
            region |= _between(name, region, nodes)


def _borders(region: set[str], nodes: list[Node]) -> tuple[list[str], list[str], list[str]]:
    """Nodes outside that feed a region, nodes inside that leave it, nodes outside it feeds."""
    feeding = {s for n in nodes if n.name in region for s in n.sources} - region
    targets = [n.name for n in nodes if n.name not in region and region & set(n.sources)]
    left = {s for n in nodes if n.name in targets for s in n.sources} & region
    return (
        [n.name for n in nodes if n.name in feeding],
        [n.name for n in nodes if n.name in left],
        targets,
    )


def _between(name: str, region: set[str], nodes: list[Node]) -> set[str]:
    """What lies on paths from a node of a region back into it."""
    after = _reached(name, nodes)
    return {n for end in region for n in after & _reaching(end, nodes)}


def _region(names: set[str], nodes: list[Node]) -> Region:
    inside = tuple(node for node in nodes if node.name in names)
    strange = [f"{n.name} ({n.kind})" for n in inside if n.kind not in LOOPED]
    require(
        not strange,
        f"{', '.join(strange)} lie on a cycle, or between one and what feeds it, where only "
        f"{', '.join(LOOPED)} may",
        FormatError,
    )
    entries, leaving, _ = _borders(names, nodes)
    return Region(inside, entries[0], leaving[0])


LOOPED = (*NEURONS, *LAYERS, "Delay", "Identity")
"""The nodes that may lie on a cycle."""


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
        differing = {shapes[source] for source in node.sources}
        require(
            len(differing) == 1,
            f"{node.name} sums different shapes, {', '.join(map(str, sorted(differing)))}",
            FormatError,
        )
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
