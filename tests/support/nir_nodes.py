"""NIR graphs as read_tree gives them, written down node by node."""

from itertools import pairwise
from typing import Any

import numpy as np

from export.nir.load import ImportedNetwork, network_of
from support.other_libraries import DT

Fields = dict[str, Any]


def node(kind: str, **fields: Any) -> Fields:
    return {"type": kind, **fields}


def image(*shape: int) -> Fields:
    return node("Input", shape=np.array(shape))


OUT = node("Output", shape=np.array([1]))


def lif(neurons: int = 3, **changes: Any) -> Fields:
    full = {"tau": 2e-4, "r": 2.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    fields = {name: np.full(neurons, v, np.float32) for name, v in full.items()}
    return node("LIF", **fields) | changes


def integrator(neurons: int = 3, **changes: Any) -> Fields:
    fields = {n: np.full(neurons, 1.0, np.float32) for n in ("r", "v_threshold")}
    return node("IF", **fields) | changes


def conv(*weight: int, **changes: Any) -> Fields:
    fields = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    values = np.random.default_rng(0).normal(size=weight)
    return node("Conv2d", weight=values, bias=np.ones(weight[0]), **fields) | changes


def dense(weight: Any, **fields: Any) -> Fields:
    return node("Affine" if fields else "Linear", weight=np.array(weight, float), **fields)


def load(
    *chain: Fields,
    edges: list[tuple[str, str]] | None = None,
    dt: float | None = DT,
    about: Fields | None = None,
) -> ImportedNetwork:
    """Nodes called a, b, c and so on; a chain unless edges say otherwise."""
    nodes = dict(zip("abcdefgh", chain, strict=False))
    tree = {"nodes": nodes, "edges": np.array(edges or list(pairwise(nodes)))}
    return network_of(tree | {"metadata": {"arlif": about or {}}}, dt)
