"""Cycles of a NIR graph, with what must be around them to have one way in and one out."""

from dataclasses import dataclass

from arlif.base.errors import FormatError, require
from arlif.base.reached import reached
from export.nir.foreign_neurons import NEURONS
from export.nir.linear_layers import LAYERS
from export.nir.node_list import Node


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
    """The nodes that edges lead to from one, itself too."""
    return reached([start], lambda name: [n.name for n in nodes if name in n.sources])


def _reaching(end: str, nodes: list[Node]) -> set[str]:
    """The nodes, among some, from which edges lead to a node, itself too."""
    sources = {node.name: node.sources for node in nodes}
    return reached({end} & sources.keys(), lambda name: sources.keys() & sources[name])


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
