"""Real-valued networks as NIR: for other tools (plain LIF) or without loss (ARLIF nodes)."""

from io import BytesIO
from typing import Any, cast

import nir
import numpy as np
from numpy.typing import NDArray
from torch import nn

from arlif.base.errors import LoweringError, require
from arlif.base.files import StrPath
from arlif.base.seal import sealed_path
from arlif.core.maps import LinearMap, Shape, SumPool2d
from arlif.core.network import INPUT, READOUT
from arlif.quantize import linearize
from arlif.quantize.linearized import Current, LinearizedNetwork, RealConv2d, RealReading, Term
from export.nir.conventions import DT, Convention, Spoken, portable
from export.nir.fields import fits_float32
from export.nir.node_list import read_graph

PROFILE = "float"
OUTPUT = "output"
"""What the node behind the readout is called."""


def write_nir_lif(
    module: nn.Module, path: StrPath, input_shape: Shape, convention: Convention = portable
) -> None:
    """Write a torch network over [T, N, *input_shape] as NIR; batch norm is absorbed.

    convention: export.nir.conventions.portable (every NIR tool), unscaled, or exact (arlif only).
    AR-LIF becomes a plain LIF for other tools, which is an approximation; `load_nir` restores it.
    Raises LoweringError where a layer has no counterpart, ArlifError where writing fails.
    """
    graph = lif_graph(linearize(module, input_shape), convention)
    written = BytesIO()  # what export.hdf5.new_hdf5 says of full disks
    nir.write(written, graph)
    with sealed_path(path) as temporary:
        temporary.write_bytes(written.getbuffer())


def lif_graph(network: LinearizedNetwork, convention: Convention = portable) -> nir.NIRGraph:
    """A linearized network as a NIR graph with exactly one Input and one Output.

    They are called input and output, which some readers want.
    """
    shapes = {p.name: p.current.shape for p in network.populations}
    shapes |= {INPUT: network.input_shape, READOUT: network.readout.shape}
    if len(network.input_shape) == 3:
        # Stays (C, H, W) to the end: a Flatten means different things to different tools.
        shapes = {name: (*s, 1, 1)[:3] for name, s in shapes.items()}
    spoken = _spoken(network, convention, shapes)
    graph = _Graph({INPUT: nir.Input(np.array(shapes[INPUT]))})
    for population in network.populations:
        graph.nodes[population.name] = spoken[population.name].node
    output = OUTPUT
    while output in graph.nodes:
        output += "_"
    graph.nodes[output] = nir.Output(np.array(shapes[READOUT]))
    done = {INPUT}
    for population in network.populations:
        factor = spoken[population.name].factor
        graph.drive(population.name, population.current, factor, shapes, done)
        done.add(population.name)
    metadata: dict[str, Any] = {"profile": PROFILE, "dt": DT, "static": network.static}
    if isinstance(network.readout, RealReading):
        require(
            not network.readout.bias.any(),
            "a bias is added to the potentials that the readout reads, which NIR has no place for; "
            "put it in front of the integrators",
            LoweringError,
        )
        reading = network.readout.reading
        graph.edges.append((reading.population, output))
        metadata["over"] = reading.over.value
    else:
        into = output
        if len(network.readout.terms) > 1:
            # nirtorch adds what comes into any node but the Output.
            into = graph.add(output, "sum", _identity(shapes[READOUT]))
            graph.edges.append((into, output))
        graph.drive(into, network.readout, 1.0, shapes, done)
    graph.require_same_loops()
    return nir.NIRGraph(graph.nodes, graph.edges, metadata={"arlif": metadata}, type_check=False)


def _spoken(
    network: LinearizedNetwork, convention: Convention, shapes: dict[str, Shape]
) -> dict[str, Spoken]:
    """The populations' nodes. Raises LoweringError naming every one that NIR cannot say."""
    spoken, refused = {}, dict[str, dict[str, list[str]]]()
    for population in network.populations:
        try:
            spoken[population.name] = convention(population.neuron, shapes[population.name])
        except LoweringError as error:
            reason, _, cure = str(error).partition("; ")
            refused.setdefault(cure, {}).setdefault(reason, []).append(population.name)
    told = [
        part
        for cure, reasons in refused.items()
        for part in (*(f"{', '.join(names)}: {reason}" for reason, names in reasons.items()), cure)
    ]
    require(not told, "; ".join(told), LoweringError)
    return spoken


class _Graph:
    """Nodes and edges while they are collected."""

    def __init__(self, nodes: dict[str, nir.NIRNode]) -> None:
        self.nodes, self.edges = nodes, list[tuple[str, str]]()
        self.late: set[tuple[str, str]] = set()

    def add(self, target: str, kind: str, node: nir.NIRNode) -> str:
        """The free name under which a node on the way to `target` is added."""
        name = self._fresh(f"{target}_{kind}")
        self.nodes[name] = node
        return name

    def drive(
        self,
        target: str,
        current: Current,
        factor: float | NDArray[np.float64],
        shapes: dict[str, Shape],
        done: set[str],
    ) -> None:
        """Add the nodes that carry a current into `target`; the bias goes with the first term.

        done: sources that have their spikes of this step already. Of others readers take those of
        the step before, so a delay is one step shorter.
        """
        bias = current.bias
        for term in current.terms:
            back = term.source not in done
            waits = (term.delay - back) * DT
            nodes = _term_nodes(term, bias, factor, shapes[term.source])
            if waits:
                nodes.insert(0, ("wait", nir.Delay(np.full(shapes[term.source], waits))))
            at = term.source
            for kind, node in nodes:
                name = self.add(target, kind, node)
                self.edges.append((at, name))
                at = name
            self.edges.append((at, target))
            if back:
                self.late.add((at, target))
            bias = np.zeros_like(bias)

    def require_same_loops(self) -> None:
        """Raise LoweringError where readers would let other edges of a loop wait."""
        tree = {"nodes": {n: {"type": type(v).__name__} for n, v in sorted(self.nodes.items())}}
        found = {
            (s, node.name) for node in read_graph(tree | {"edges": self.edges}) for s in node.late
        }
        require(
            found == self.late,
            "readers of NIR walk its loops from the input on and would let "
            f"{', '.join(f'{a} -> {b}' for a, b in sorted(found - self.late))} wait for a step; "
            "quantize the network and write it with write_nir",
            LoweringError,
        )

    def _fresh(self, name: str) -> str:
        count = 1
        while (found := name if count == 1 else f"{name}{count}") in self.nodes:
            count += 1
        return found


def _term_nodes(
    term: Term, bias: NDArray[np.float64], factor: float | NDArray[np.float64], shape: Shape
) -> list[tuple[str, nir.NIRNode]]:
    weights = term.weights
    assert weights is not None
    require(
        not term.pools,
        f"NIR has no max pooling, and {term.source} is pooled so; pool averages, or keep to "
        "network.nir, arlif's own file (write_nir)",
        LoweringError,
    )
    before, after = ([_require_pool(m) for m in maps] for maps in (term.before, term.after))
    for pool in before:
        shape = pool.output_shape(shape)
    area = float(np.prod([pool.kernel for pool in after]))
    driven = term.per_channel(np.broadcast_to(factor, bias.shape))
    real = driven.synapses.weight, bias * factor / area
    require(
        all(map(fits_float32, real)),
        "a weight or bias overflows float32; train with smaller weights",
        LoweringError,
    )
    weight, offset = (array.astype(np.float32) for array in real)
    synapse: nir.NIRNode
    if isinstance(weights, RealConv2d):
        synapse = nir.Conv2d(
            shape[1:],
            _full(weight, weights.groups),
            weights.stride,
            weights.padding,
            weights.dilation,
            1,
            offset,
        )
    elif len(shape) == 3:
        synapse = nir.Conv2d(
            shape[1:], weight.reshape(-1, *shape), (1, 1), (0, 0), (1, 1), 1, offset
        )
    else:
        synapse = nir.Affine(weight, offset)
    return [
        *(("pool", _pool(pool)) for pool in before),
        ("synapse", synapse),
        *(("pool", _pool(pool)) for pool in after),
    ]


def _full(weight: NDArray[np.float32], groups: int) -> NDArray[np.float32]:
    """A convolution's weights between all channels, 0 between groups, which no other tool reads."""
    if groups == 1:
        return weight
    count, each = len(weight), weight.shape[1]
    full = np.zeros((count, groups * each, *weight.shape[2:]), np.float32)
    for group, rows in enumerate(np.split(np.arange(count), groups)):
        full[rows, group * each : (group + 1) * each] = weight[rows]
    return full


def _identity(shape: Shape) -> nir.NIRNode:
    """Weights that pass numbers of a shape on, which every reader takes."""
    count, sizes = shape[0], shape[1:]
    eye = np.eye(count, dtype=np.float32).reshape(count, count, *(1 for _ in sizes))
    bias = np.zeros(count, np.float32)
    if sizes:
        return nir.Conv2d(sizes, eye, (1, 1), (0, 0), (1, 1), 1, bias)
    return nir.Affine(eye, bias)


def _require_pool(linear: LinearMap) -> SumPool2d:
    require(
        isinstance(linear, SumPool2d),
        f"NIR has pools beside weights, but no {type(linear).__name__}; quantize the network and "
        "write it with write_nir",
        LoweringError,
    )
    return cast(SumPool2d, linear)


def _pool(pool: SumPool2d) -> nir.SumPool2d:
    return nir.SumPool2d(*(np.array(pair) for pair in (pool.kernel, pool.stride, pool.padding)))
