"""Any NIR graph as a torch network over [T, N, ...]."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from arlif.base.errors import ArlifError, FormatError, require
from arlif.base.files import StrPath
from arlif.core.maps import Shape
from arlif.core.network import OverTime
from export.hdf5 import Tree, read_tree
from export.nir.assembly import Build
from export.nir.foreign_neurons import INTEGRATORS, NEURONS
from export.nir.linear_layers import LAYERS
from export.nir.node_list import read_graph
from export.nir.write_native import PROFILE as NATIVE
from export.readout_tree import over_time
from export.records import value


@dataclass(frozen=True)
class ImportedNetwork:
    """A torch network over [T, N, *input_shape].

    static: whether the file says that one frame is shown at every time step. warnings: what a user
    should know before using it.
    """

    module: nn.Module
    input_shape: Shape
    static: bool
    warnings: tuple[str, ...] = ()


def load_nir(
    path: StrPath, dt: float | None = None, over: OverTime | None = None
) -> ImportedNetwork:
    """Read a NIR file, whoever wrote it, as layers of arlif.

    dt: seconds per time step, where the file does not say it. over: which time step of what reaches
    the output is the answer; None: what the file says, or all, whose mean decides. 1-D signals
    (C, L) become (C, 1, L).
    Raises FormatError naming every node that has no counterpart, and whatever is broken.
    """
    tree = read_tree(path)
    try:
        return network_of(tree.get("node"), dt, over)
    except ArlifError as error:
        raise FormatError(f"{path}: {error}") from None


def load_plain(path: StrPath) -> ImportedNetwork:
    """A file of `write_nir_lif` as other tools read it, without what arlif noted of its neurons.

    Raises FormatError as load_nir.
    """
    tree = read_tree(path)
    try:
        graph = tree.get("node", {})
        for node in graph.get("nodes", {}).values():
            node.pop("metadata", None)
        return network_of(graph, None)
    except ArlifError as error:
        raise FormatError(f"{path}: {error}") from None


def network_of(tree: Any, dt: float | None, over: OverTime | None = None) -> ImportedNetwork:
    """The network that the tree of a NIR graph describes; errors as in `load_nir`."""
    nodes = read_graph(tree)
    about = _about(tree)
    require(
        "profile" not in about or value(str, about["profile"], "metadata/arlif/profile") != NATIVE,
        "this is a quantized network, not a float one; read it with read_nir",
        FormatError,
    )
    strange = [f"{n.name} ({n.kind})" for n in nodes if n.kind not in KNOWN]
    require(
        not strange,
        f"these nodes have no counterpart: {', '.join(strange)}; known are {', '.join(KNOWN)}",
        FormatError,
    )
    if over is None and "over" in about:
        over = over_time(value(str, about["over"], "metadata/arlif/over"), "metadata/arlif/over")
    build = Build(nodes, _time_step(about, dt), over)
    static = "static" in about and value(bool, about["static"], "metadata/arlif/static")
    shape = build.shapes[nodes[0].name]
    return ImportedNetwork(build.module(), shape, static, tuple(build.warnings))


KNOWN = ("Input", "Output", "Identity", *LAYERS, "Delay", *NEURONS, *INTEGRATORS)


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
