"""A readout as a tree of plain values, and back; what a file's layout follows from."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import FormatError, require
from arlif.core.network import OverTime, QuantizedNetwork, Reading, Readout
from export.hdf5 import Tree
from export.records import FORMAT_VERSION, SPIKES_ONLY, only, value

OVER = {over.value: over for over in OverTime}


def layout(network: QuantizedNetwork) -> int:
    """The layout of a network's files: the first that can hold it, so that older arlifs read it."""
    fires = all(p.neuron.fires for p in network.populations)
    return SPIKES_ONLY if fires and network.readout.reading is None else FORMAT_VERSION


def readout_tree(readout: Readout) -> Tree:
    """All that a readout is; `build_readout` reads it."""
    reading, tree = readout.reading, {"bias": readout.bias, "scale": readout.scale}
    if reading is None:
        return tree
    names = {"population": reading.population, "variable": reading.variable}
    return tree | {"reading": names | {"over": reading.over.value}}


def build_readout(tree: Any, where: str) -> Readout:
    """The readout whose `readout_tree` this is. Raises FormatError and NetworkError."""
    reads = isinstance(tree, dict) and "reading" in tree
    only(tree, ("bias", "scale", *(["reading"] if reads else [])), where)
    return Readout(
        value(NDArray[np.int32], tree["bias"], f"{where}/bias"),
        value(float, tree["scale"], f"{where}/scale"),
        _reading(tree["reading"], f"{where}/reading") if reads else None,
    )


def _reading(tree: Any, where: str) -> Reading:
    names = ("population", "variable", "over")
    only(tree, names, where)
    population, variable, over = (value(str, tree[n], f"{where}/{n}") for n in names)
    return Reading(population, variable, over_time(over, f"{where}/over"))


def over_time(word: str, where: str) -> OverTime:
    """What a file's word means. Raises FormatError."""
    require(word in OVER, f"{where} is one of {', '.join(OVER)}, not {word}", FormatError)
    return OVER[word]
