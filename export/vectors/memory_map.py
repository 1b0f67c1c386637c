"""All that a network is, as a description and arrays with addresses in one memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.equality import fingerprint
from arlif.core.maps import Conv2d, Dense, LinearMap
from arlif.core.network import NUMERICS_VERSION, Population, Projection, QuantizedNetwork
from arlif.core.units import Unit, integer_units
from export.population_tree import population_tree
from export.readout_tree import readout_tree
from export.records import record_tree, typed_tree
from export.vectors.layouts import needed_bits

FORMAT_VERSION = 1
"""Of the layout of golden vectors and memory maps."""
ALIGNMENT = 4
"""Bytes: every array begins at a multiple."""
AXES = {
    Conv2d: ("output channel", "input channel of the group", "row", "column"),
    Dense: ("output", "input"),
}


@dataclass(frozen=True, eq=False)
class Stored:
    """An array of the memory. address: of its first byte; values lie little-endian in C order.

    unit: what one step counts, in words. scale: its real value, where it has one.
    """

    values: NDArray[Any]
    address: int
    axes: tuple[str, ...]
    unit: str
    scale: float | None

    @property
    def bits(self) -> int:
        """The width that every value of it fits."""
        return needed_bits((int(self.values.min()), int(self.values.max())))

    def facts(self) -> dict[str, Any]:
        """What the manifest says of it."""
        return {
            "address": self.address,
            "bytes": self.values.nbytes,
            "dtype": self.values.dtype.name,
            "shape": list(self.values.shape),
            "axes": list(self.axes),
            "bits": self.bits,
            "signed": bool(self.values.min() < 0),
            "unit": self.unit,
            "scale": self.scale,
        }


@dataclass
class Memory:
    """Arrays by name, in the order of their addresses."""

    arrays: dict[str, Stored] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """In bytes."""
        ends = [stored.address + stored.values.nbytes for stored in self.arrays.values()]
        return -(-max(ends, default=0) // ALIGNMENT) * ALIGNMENT

    def keep(
        self, name: str, values: NDArray[Any], axes: tuple[str, ...], unit: str, scale: Any = None
    ) -> dict[str, str]:
        """Place an array behind the others; returns what stands for it in the description."""
        self.arrays[name] = Stored(values, self.size, axes, unit, scale)
        return {"array": name}

    def image(self) -> NDArray[np.uint8]:
        """The whole memory, byte by byte."""
        image = np.zeros(self.size, np.uint8)
        for stored in self.arrays.values():
            values = stored.values.astype(stored.values.dtype.newbyteorder("<"))
            bytes_ = np.frombuffer(values.tobytes(), np.uint8)
            image[stored.address : stored.address + len(bytes_)] = bytes_
        return image


def memory_map(network: QuantizedNetwork) -> tuple[dict[str, Any], Memory]:
    """A description as plain data, in which {"array": name} stands for arrays, and these."""
    memory = Memory()
    readout = network.readout
    described = {
        "format_version": FORMAT_VERSION,
        "numerics_version": NUMERICS_VERSION,
        "network": fingerprint(network),
        "time_steps": network.time_steps,
        "input": _plain(record_tree(network.input)),
        "populations": [_population(population, memory) for population in network.populations],
        "projections": [
            _projection(number, projection, memory)
            for number, projection in enumerate(network.projections)
        ],
        "readout": readout_tree(readout)
        | {"bias": memory.keep("readout.bias", readout.bias, ("class",), "readout", readout.scale)},
    }
    described["memory"] = {
        "bytes": memory.size,
        "byte_order": "little",
        "arrays": {name: stored.facts() for name, stored in memory.arrays.items()},
    }
    return described, memory


def _population(population: Population, memory: Memory) -> dict[str, Any]:
    name, neuron = population.name, population.neuron
    tree, units = population_tree(population), integer_units(neuron.graph)
    ones = {Unit.STATE: neuron.state_format.one, Unit.FACTOR: neuron.one}

    def keep(kind: str, title: str, values: NDArray[Any], axes: tuple[str, ...]) -> dict[str, str]:
        one = ones[units[title]]
        unit = f"2**-{one.bit_length() - 1}, a {units[title].value}"
        return memory.keep(f"{name}.{kind}.{title}", values, axes, unit, 1 / one)

    bias = f"2**-{neuron.state_format.frac_bits}"
    gain = 0.5**population.gain_shift
    tree["gain"] = memory.keep(f"{name}.gain", population.gain, ("C",), "factor", gain)
    tree["bias"] = memory.keep(
        f"{name}.bias", population.bias, ("C",), bias, 1 / neuron.state_format.one
    )
    tree["neuron"]["constants"] = {
        title: raw
        if isinstance(raw, int)
        else keep("constant", title, raw, ("C", "H", "W") if raw.ndim == 3 else ("C",))
        for title, raw in neuron.constants.items()
    }
    for title, table in neuron.tables.items():
        cells = keep("table", title, table.values, ("cell",))
        tree["neuron"]["tables"][title]["values"] = cells
    return {"name": name, **_plain(tree)}


def _projection(number: int, projection: Projection, memory: Memory) -> dict[str, Any]:
    return {
        "source": projection.source,
        "target": projection.target,
        "shift": projection.shift,
        "delay": projection.delay,
        "pools": [_plain(record_tree(window)) for window in projection.pools],
        "maps": [
            _map(f"projection{number}.map{place}", linear, memory)
            for place, linear in enumerate(projection.maps)
        ],
    }


def _map(name: str, linear: LinearMap, memory: Memory) -> dict[str, Any]:
    tree = typed_tree(linear)
    for title, values in tree.items():
        if isinstance(values, np.ndarray):
            axes = AXES.get(type(linear)) or tuple(f"axis {n}" for n in range(values.ndim))
            tree[title] = memory.keep(f"{name}.{title}", values, axes, "weight")
    return dict(_plain(tree))


def _plain(tree: Any) -> Any:
    """Plain lists and numbers in place of small arrays and tuples."""
    if isinstance(tree, Mapping):
        return {name: _plain(value) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_plain(value) for value in tree]
    return tree.tolist() if isinstance(tree, np.ndarray | np.generic) else tree
