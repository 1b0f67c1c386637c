"""Writing and reading .net files; docs/formats.md lists every key."""

from typing import Any

import h5py
import numpy as np

from arlif.base.errors import FormatError, require
from arlif.base.files import StrPath
from arlif.base.seal import sealed_path
from arlif.core.maps import MAPS, Window
from arlif.core.network import (
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from export.hdf5 import Tree, new_hdf5, read_tree
from export.lava.netx import netx_layers
from export.population_tree import build_population, population_tree
from export.readout_tree import build_readout, layout, readout_tree
from export.records import (
    build,
    build_typed,
    difference,
    record_tree,
    require_versions,
    typed_tree,
    value,
    versions,
)

OURS = "arlif"
"""The group that only our files have, at the top and in every layer that is a node."""

FOREIGN = "this is no .net file of arlif, or it is damaged: {}; write it again with: arlif export"


def write_net(network: QuantizedNetwork, path: StrPath) -> None:
    """Write a network atomically. Raises ArlifError where the folder cannot be written."""
    with sealed_path(path) as temporary, new_hdf5(temporary) as file:
        _write(file, net_tree(network), {})


def _write(group: h5py.Group, tree: Tree, written: dict[int, h5py.Dataset]) -> None:
    """Groups and datasets of a tree; an array that stands in it twice is stored once."""
    for name, item in tree.items():
        if isinstance(item, dict):
            _write(group.create_group(name), item, written)
        else:
            group[name] = written.get(id(item), item)
            if isinstance(item, np.ndarray):
                written[id(item)] = group[name]


def net_tree(network: QuantizedNetwork) -> Tree:
    """Everything in the file: nested names down to numbers, arrays and texts."""
    nodes: tuple[Input | Population | Readout, ...]
    nodes = (network.input, *network.populations, network.readout)
    layers: list[Tree] = []
    for node, netx in zip(nodes, netx_layers(network), strict=True):
        layers += [*netx[:-1], netx[-1] | {OURS: _node_tree(network, node)}]
    return {
        OURS: {**versions(layout(network)), "time_steps": network.time_steps},
        "layer": {str(index): layer for index, layer in enumerate(layers)},
    }


def _node_tree(network: QuantizedNetwork, node: Input | Population | Readout) -> Tree:
    if isinstance(node, Population):
        tree = {"name": node.name, **population_tree(node)}
    elif isinstance(node, Readout):
        tree = readout_tree(node)
    else:
        tree = record_tree(node)
    if not isinstance(node, Input):
        tree["projection"] = {
            str(index): _projection_tree(projection)
            for index, projection in enumerate(network.projections)
            if projection.target == node.name
        }
    return tree


def _projection_tree(projection: Projection) -> Tree:
    maps = {str(index): typed_tree(linear) for index, linear in enumerate(projection.maps)}
    pools = {str(index): record_tree(window) for index, window in enumerate(projection.pools)}
    return {
        "source": projection.source,
        "pool": pools,
        "shift": projection.shift,
        "delay": projection.delay,
        "map": maps,
    }


def read_net(path: StrPath) -> QuantizedNetwork:
    """The network that `write_net` wrote, equal to it.

    Raises FormatError where the file is missing, damaged, foreign or of another numerics version,
    and NetworkError where its values break a rule of the integer specification.
    """
    tree = read_tree(path)
    try:
        network = _network(tree)
        strange = difference(net_tree(network), tree)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise FormatError(f"{path}: {FOREIGN.format(error)}") from None
    require(strange is None, f"{path}: {FOREIGN.format(strange)}", FormatError)
    return network


def is_ours(path: StrPath) -> bool:
    """Whether a .net file says that arlif wrote it. Raises FormatError where it is not HDF5."""
    return OURS in read_tree(path)


def _network(tree: Tree) -> QuantizedNetwork:
    require(OURS in tree, FOREIGN.format(f"it has no group /{OURS}"), FormatError)
    require_versions(tree[OURS])
    nodes = [layer[OURS] for _, layer in _numbered(tree["layer"]) if OURS in layer]
    populations = tuple(
        build_population(value(str, node["name"], "name"), node) for node in nodes[1:-1]
    )
    readout = {name: item for name, item in nodes[-1].items() if name != "projection"}
    names = [*(p.name for p in populations), READOUT]
    projections = {
        index: _projection(item, name)
        for name, node in zip(names, nodes[1:], strict=True)
        for index, item in _numbered(node.get("projection", {}))
    }
    return QuantizedNetwork(
        build(Input, nodes[0], "/layer/0/arlif"),
        populations,
        tuple(projections[index] for index in sorted(projections)),
        build_readout(readout, "readout"),
        value(int, tree[OURS]["time_steps"], "/arlif/time_steps"),
    )


def _projection(item: Tree, target: str) -> Projection:
    maps = [build_typed(linear, MAPS, f"{target}/map") for _, linear in _numbered(item["map"])]
    source = value(str, item["source"], f"{target}/source")
    shift = value(int, item["shift"], f"{target}/shift")
    delay = value(int, item["delay"], f"{target}/delay")
    pools = [build(Window, window, f"{target}/pool") for _, window in _numbered(item["pool"])]
    return Projection(source, target, tuple(maps), shift, delay, tuple(pools))


def _numbered(tree: Tree) -> list[tuple[int, Any]]:
    """The entries of a group whose names are numbers, in order."""
    return [(index, tree[str(index)]) for index in sorted(int(name) for name in tree)]
