"""Reading the native NIR profile back, from files that need not be trusted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.linear import Conv2d, Dense, LinearMap, Shape, SumPool2d
from arlif.core.network import (
    INPUT,
    NUMERICS_VERSION,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.core.neurons import NEURONS
from arlif.errors import FormatError, require
from arlif.files import StrPath
from export.hdf5 import Tree, read_tree
from export.nir.write_native import PROFILE, native_graph
from export.records import build, difference, value


def read_nir(path: StrPath) -> QuantizedNetwork:
    """The network that `write_nir` wrote.

    Raises FormatError where the file is damaged, foreign or of another numerics version, and
    NetworkError where its values break a rule of the integer specification.
    """
    tree = read_tree(path)
    try:
        return native_network(_entry(tree, "node"))
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


def is_native(path: StrPath) -> bool:
    """Whether a NIR file holds a quantized network. Raises FormatError where it is not HDF5."""
    tree = read_tree(path)
    try:
        _about(_entry(tree, "node"))
    except FormatError:
        return False
    return True


def _entry(tree: Any, *names: str) -> Any:
    for depth, name in enumerate(names):
        require(
            isinstance(tree, dict) and name in tree,
            f"the field {'/'.join(names[: depth + 1])} is missing; export the network again",
            FormatError,
        )
        tree = tree[name]
    return tree


def _about(graph: Any) -> Tree:
    try:
        about = _entry(graph, "metadata", "arlif")
        known = value(str, _entry(about, "profile"), "profile") == PROFILE
    except FormatError:
        known = False
    require(
        known,
        "this is not a quantized network of arlif; read other NIR files with `arlif import`",
        FormatError,
    )
    return about


def native_network(graph: Tree) -> QuantizedNetwork:
    """The network whose `native_graph` has this tree. Raises FormatError and NetworkError."""
    about = _about(graph)
    version = value(int, _entry(about, "numerics_version"), "metadata/arlif/numerics_version")
    require(
        version == NUMERICS_VERSION,
        f"the file is written for numerics version {version}, this arlif has version "
        f"{NUMERICS_VERSION}; quantize again or install the arlif that wrote it",
        FormatError,
    )
    nodes = _entry(graph, "nodes")
    names = [str(name) for name in np.ravel(_entry(about, "populations"))]
    source = _entry(nodes, INPUT, "metadata", "arlif")
    require(isinstance(source, dict), f"{INPUT}/metadata/arlif must be a group", FormatError)
    network = QuantizedNetwork(
        build(Input, source | {"shape": _entry(nodes, INPUT, "shape")}, INPUT),
        tuple(_population(name, _entry(nodes, name)) for name in names),
        _projections(nodes, _entry(graph, "edges"), {INPUT, READOUT, *names}),
        build(Readout, _entry(nodes, READOUT, "metadata", "arlif"), READOUT),
        value(int, _entry(about, "time_steps"), "metadata/arlif/time_steps"),
    )
    strange = difference(native_graph(network).to_dict(), graph)
    require(
        strange is None,
        f"{strange} is not what this network is written with; export the network again",
        FormatError,
    )
    return network


def _population(name: str, node: Tree) -> Population:
    kind = value(str, _entry(node, "type"), f"{name}/type")
    require(
        kind in NEURONS,
        f"{name} is a node of type {kind}; known neurons are {', '.join(NEURONS)}",
        FormatError,
    )
    return Population(
        name,
        value(Shape, _entry(node, "shape"), f"{name}/shape"),
        build(NEURONS[kind], _entry(node, "neuron"), f"{name}/neuron"),
        value(NDArray[np.uint8], _entry(node, "gain"), f"{name}/gain"),
        value(int, _entry(node, "gain_shift"), f"{name}/gain_shift"),
        value(NDArray[np.int32], _entry(node, "bias"), f"{name}/bias"),
    )


def _projections(nodes: Tree, edges: Any, ends: set[str]) -> tuple[Projection, ...]:
    """One projection per edge into a population or the readout, walked back to its source."""
    pairs = np.asarray(edges)
    require(
        pairs.ndim == 2 and pairs.shape[1] == 2 and pairs.dtype.kind == "U",
        "edges must be pairs of node names; export the network again",
        FormatError,
    )
    sources: dict[str, list[str]] = {}
    for source, target in pairs.tolist():
        sources.setdefault(target, []).append(source)
    return tuple(
        _projection(nodes, sources, ends, last, target)
        for last, target in pairs.tolist()
        if target in ends
    )


def _projection(
    nodes: Tree, sources: dict[str, list[str]], ends: set[str], last: str, target: str
) -> Projection:
    shift = value(int, _entry(nodes, last, "shift"), f"{last}/shift")
    maps: list[LinearMap] = []
    at, seen = last, {last}
    while True:
        before = sources.get(at, [])
        require(
            len(before) == 1 and before[0] not in seen,
            f"the projection {last} must be a chain of nodes from one source; {at} has "
            f"the sources {', '.join(before) or 'none'}",
            FormatError,
        )
        at = before[0]
        if at in ends:
            return Projection(at, target, tuple(reversed(maps)), shift)
        seen.add(at)
        maps.extend(_maps(at, _entry(nodes, at)))


def _maps(name: str, node: Tree) -> tuple[LinearMap, ...]:
    def weight() -> NDArray[np.int8]:
        return value(NDArray[np.int8], _entry(node, "weight"), f"{name}/weight")

    def pair(field: str) -> tuple[int, int]:
        return value(tuple[int, int], _entry(node, field), f"{name}/{field}")

    kind = value(str, _entry(node, "type"), f"{name}/type")
    match kind:
        case "Flatten":
            return ()
        case "Linear":
            return (Dense(weight()),)
        case "Conv2d":
            groups = value(int, _entry(node, "groups"), f"{name}/groups")
            return (Conv2d(weight(), pair("stride"), pair("padding"), pair("dilation"), groups),)
        case "SumPool2d":
            return (SumPool2d(pair("kernel_size"), pair("stride"), pair("padding")),)
    raise FormatError(f"{name} is a node of type {kind}, which no projection holds")
