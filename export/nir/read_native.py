"""Reading the native NIR profile back, from files that need not be trusted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import FormatError, require
from arlif.base.files import StrPath
from arlif.core.maps import MAPS, Conv2d, Dense, LinearMap, SumPool2d, Window
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Projection,
    QuantizedNetwork,
)
from export.hdf5 import Tree, read_tree
from export.nir.write_native import PROFILE, native_graph
from export.population_tree import build_population
from export.readout_tree import build_readout
from export.records import (
    build,
    build_typed,
    difference,
    entry,
    require_versions,
    texts,
    value,
)


def read_nir(path: StrPath) -> QuantizedNetwork:
    """The network that `write_nir` wrote.

    Raises FormatError where the file is damaged, foreign or of another numerics version, and
    NetworkError where its values break a rule of the integer specification.
    """
    tree = read_tree(path)
    try:
        return native_network(entry(tree, "node"))
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None


def is_native(path: StrPath) -> bool:
    """Whether a NIR file holds a quantized network. Raises FormatError where it is not HDF5."""
    tree = read_tree(path)
    try:
        _about(entry(tree, "node"))
    except FormatError:
        return False
    return True


def _about(graph: Any) -> Tree:
    try:
        about = entry(graph, "metadata", "arlif")
        known = value(str, entry(about, "profile"), "profile") == PROFILE
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
    require_versions(about)
    nodes = entry(graph, "nodes")
    names = texts(entry(about, "populations"), "metadata/arlif/populations")
    source = entry(nodes, INPUT, "metadata", "arlif")
    require(isinstance(source, dict), f"{INPUT}/metadata/arlif must be a group", FormatError)
    readout = build_readout(entry(nodes, READOUT, "metadata", "arlif"), READOUT)
    targets = {*names, READOUT} if readout.reading is None else {*names}
    network = QuantizedNetwork(
        build(Input, source | {"shape": entry(nodes, INPUT, "shape")}, INPUT),
        tuple(build_population(name, entry(nodes, name)) for name in names),
        _projections(nodes, entry(graph, "edges"), {INPUT, READOUT, *names}, targets),
        readout,
        value(int, entry(about, "time_steps"), "metadata/arlif/time_steps"),
    )
    strange = difference(native_graph(network).to_dict(), graph)
    require(
        strange is None,
        f"{strange} is not what this network is written with; export the network again",
        FormatError,
    )
    return network


def _projections(
    nodes: Tree, edges: Any, ends: set[str], targets: set[str]
) -> tuple[Projection, ...]:
    """One projection per edge into a target, walked back to its source, one of `ends`."""
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
        if target in targets
    )


def _projection(
    nodes: Tree, sources: dict[str, list[str]], ends: set[str], last: str, target: str
) -> Projection:
    shift = value(int, entry(nodes, last, "shift"), f"{last}/shift")
    delay = value(int, entry(nodes, last, "delay"), f"{last}/delay")
    maps: list[LinearMap] = []
    pools: list[Window] = []
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
            maps.reverse()
            pools.reverse()
            return Projection(at, target, tuple(maps), shift, delay, tuple(pools))
        seen.add(at)
        node = entry(nodes, at)
        if value(str, entry(node, "type"), f"{at}/type") == "Or":
            pools.append(build(Window, entry(node, "window"), f"{at}/window"))
            continue
        require(not pools, f"{at} stands in front of an OR, which takes only spikes", FormatError)
        maps.extend(_maps(at, node))


def _maps(name: str, node: Tree) -> tuple[LinearMap, ...]:
    def weight() -> NDArray[np.int8]:
        return value(NDArray[np.int8], entry(node, "weight"), f"{name}/weight")

    def pair(field: str) -> tuple[int, int]:
        return value(tuple[int, int], entry(node, field), f"{name}/{field}")

    kind = value(str, entry(node, "type"), f"{name}/type")
    match kind:
        case "Flatten":
            return ()
        case "Linear":
            return (Dense(weight()),)
        case "Conv2d":
            groups = value(int, entry(node, "groups"), f"{name}/groups")
            return (Conv2d(weight(), pair("stride"), pair("padding"), pair("dilation"), groups),)
        case "SumPool2d":
            return (SumPool2d(pair("kernel_size"), pair("stride"), pair("padding")),)
        case "Map":
            return (build_typed(entry(node, "map"), MAPS, f"{name}/map"),)
    raise FormatError(f"{name} is a node of type {kind}, which no projection holds")
