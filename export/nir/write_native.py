"""The native NIR profile: a QuantizedNetwork as integers, without loss."""

import io
from collections.abc import Iterator
from itertools import chain

import h5py
import nir
import numpy as np

from arlif.base.files import StrPath
from arlif.base.seal import sealed_path
from arlif.core.maps import Conv2d, Dense, LinearMap, Shape, SumPool2d
from arlif.core.network import INPUT, READOUT, QuantizedNetwork
from export.hdf5 import new_hdf5
from export.nir.own_nodes import MapNode, OrNode, PopulationNode, Shift
from export.readout_tree import layout, readout_tree
from export.records import versions

PROFILE = "native"
USER_BLOCK = 512
"""Bytes in front of the first of HDF5, the fewest that it allows; its readers skip them."""
FIRST_LINES = b"""\
This HDF5 file holds a quantized spiking network of arlif, integers without loss, in NIR's layout.
arlif opens it: arlif import FILE RUN, or export.nir.read_nir(FILE) in Python; docs/formats.md.
Other NIR tools and nir.read of the nir package do not: its populations are no nodes of NIR.
For them, lif.nir beside it holds the network as plain LIF; arlif export RUN writes it.
"""


def write_nir(network: QuantizedNetwork, path: StrPath) -> None:
    """Write a quantized network; `read_nir` gives back an equal one. Raises ArlifError."""
    written = io.BytesIO()
    nir.write(written, native_graph(network))
    with sealed_path(path) as temporary:
        with h5py.File(written, "r") as source, new_hdf5(temporary, USER_BLOCK) as file:
            for name in source:
                source.copy(name, file)
        with temporary.open("r+b") as first:
            first.write(FIRST_LINES)


def native_graph(network: QuantizedNetwork) -> nir.NIRGraph:
    """The network as a NIR graph: standard nodes for synapses, one node per population."""
    source = network.input
    nodes: dict[str, nir.NIRNode] = {
        INPUT: nir.Input(
            np.array(source.shape),
            metadata={
                "arlif": {
                    "scale": source.scale,
                    "low": source.low,
                    "high": source.high,
                    "static": source.static,
                }
            },
        ),
        READOUT: nir.Output(
            np.array(network.readout.shape),
            metadata={"arlif": readout_tree(network.readout)},
        ),
    }
    nodes.update({p.name: PopulationNode(p) for p in network.populations})
    edges: list[tuple[str, str]] = []
    for index, projection in enumerate(network.projections):
        name = f"{projection.source}.{projection.target}.{index}"
        at = projection.source
        ors = (OrNode(one.window, network.shape(one.source)) for one in projection.ors)
        synapses = synapse_nodes(projection.maps, network.shape(projection.entering))
        for step, node in enumerate(chain(ors, synapses)):
            nodes[f"{name}.{step}"] = node
            edges.append((at, f"{name}.{step}"))
            at = f"{name}.{step}"
        nodes[name] = Shift(network.shape(projection.target), projection.shift, projection.delay)
        edges += [(at, name), (name, projection.target)]
    if network.readout.reading is not None:
        edges.append((network.readout.reading.population, READOUT))
    metadata = {
        "profile": PROFILE,
        **versions(layout(network)),
        "time_steps": network.time_steps,
        "populations": [p.name for p in network.populations],
    }
    return nir.NIRGraph(nodes, edges, metadata={"arlif": metadata}, type_check=False)


def synapse_nodes(maps: tuple[LinearMap, ...], shape: Shape) -> Iterator[nir.NIRNode]:
    """NIR nodes for a chain of maps on inputs of `shape`, standard ones where NIR has them."""
    for linear in maps:
        if isinstance(linear, Dense) and len(shape) > 1:
            yield nir.Flatten(np.array(shape), 0, -1)
        yield _node(linear, shape)
        shape = linear.output_shape(shape)


def _node(linear: LinearMap, shape: Shape) -> nir.NIRNode:
    match linear:
        case Dense():
            return nir.Linear(linear.weight)
        case Conv2d():
            return nir.Conv2d(
                shape[1:],
                linear.weight,
                linear.stride,
                linear.padding,
                linear.dilation,
                linear.groups,
                bias=np.zeros(len(linear.weight), np.int8),
            )
        case SumPool2d():
            return nir.SumPool2d(
                *(np.array(pair) for pair in (linear.kernel, linear.stride, linear.padding))
            )
    return MapNode(linear, shape)
