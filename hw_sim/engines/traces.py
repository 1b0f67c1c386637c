"""Simulations on disk: HDF5, one file per engine, written atomically."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import FormatError, require
from arlif.base.files import atomic_path
from arlif.base.hdf5_room import require_room
from arlif.core.network import READOUT, QuantizedNetwork
from export.hdf5 import new_hdf5, require_readable
from export.vectors.layouts import frame_axes
from hw_sim.engines.simulation import Simulation, Trace


def steps_of(network: QuantizedNetwork) -> dict[str, float]:
    """Real values of one raw step: of a population's states by its name, and of the readout."""
    states = {p.name: 1 / p.neuron.state_format.one for p in network.populations}
    return {**states, READOUT: network.readout.scale}


def write_traces(
    simulation: Simulation, path: Path, steps: Mapping[str, float] = MappingProxyType({})
) -> None:
    """Write readout, counts and traces; spikes as uint8, states in their own type.

    steps: of an engine of integers, see steps_of. Every dataset says its axes and its unit, and its
    scale: the real value of 1.
    """
    with atomic_path(path) as temporary, new_hdf5(temporary) as file:

        def write(name: str, values: NDArray[Any], axes: str, unit: str, scale: float) -> None:
            inner = frame_axes(values.shape[len(axes) :], "class" if name == READOUT else "neuron")
            data = file.create_dataset(name, data=values, compression="gzip")
            data.attrs.update({"axes": [*axes, *inner], "unit": unit, "scale": scale})

        def numbers(name: str) -> tuple[str, float]:
            return ("raw step", steps[name]) if name in steps else ("real", 1.0)

        write(READOUT, simulation.readout, "N", *numbers(READOUT))
        for name, counts in simulation.counts.items():
            write(f"counts/{name}", counts, "N", "spikes", 1.0)
        for name, trace in simulation.traces.items():
            spikes = trace.spikes.astype(np.uint8)
            write(f"traces/{name}/spikes", spikes, "TN", "spikes", 1.0)
            for state, values in trace.states.items():
                write(f"traces/{name}/states/{state}", values, "TN", *numbers(name))


def read_traces(path: Path) -> Simulation:
    """Read what write_traces wrote. Raises FormatError on any other file."""
    try:
        require_readable(path)
        with h5py.File(path, "r") as file:
            groups = file.get("traces", {})
            found = Simulation(
                readout=_values(file["readout"]),
                counts={name: _values(data) for name, data in file.get("counts", {}).items()},
                traces={
                    name: Trace(
                        _spikes(_values(group["spikes"])),
                        {state: _values(data) for state, data in group.get("states", {}).items()},
                    )
                    for name, group in groups.items()
                },
            )
            require(
                file.keys() <= {"readout", "counts", "traces"}
                and all(group.keys() <= {"spikes", "states"} for group in groups.values()),
                "it holds what no simulation leaves",
            )
            _require_consistent(found)
            return found
    except Exception as error:  # whatever libhdf5, h5py and numpy raise on a damaged file
        raise FormatError(f"{path} is not a trace file ({error}); simulate again") from None


def _values(data: h5py.Dataset) -> NDArray[Any]:
    """All values. Raises FormatError where there are more than the file has room for."""
    require_room(data)
    return np.asarray(data[()])


def _spikes(values: NDArray[Any]) -> NDArray[np.bool_]:
    require(
        values.dtype == np.uint8 and (values.size == 0 or values.max() <= 1),
        "it holds spikes that are neither 0 nor 1",
    )
    return values.astype(bool)


def _require_consistent(found: Simulation) -> None:
    """Raise ArlifError unless all arrays are numbers of the same samples, steps and neurons."""
    readout, counts, traces = found.readout, found.counts, found.traces
    require(
        readout.ndim == 2
        and len(readout) > 0
        and all(c.ndim > 1 and len(c) == len(readout) for c in counts.values())
        and len({trace.spikes.shape[:2] for trace in traces.values()}) <= 1
        and all(t.spikes.ndim > 2 and t.spikes.size > 0 for t in traces.values())
        and all(t.spikes.shape[1] <= len(readout) for t in traces.values())
        and all(v.shape == t.spikes.shape for t in traces.values() for v in t.states.values()),
        "its arrays are not of the same samples",
    )
    numbers: list[NDArray[Any]] = [
        readout,
        *(v for t in traces.values() for v in t.states.values()),
    ]
    require(
        all(array.dtype.kind in "if" and np.isfinite(array).all() for array in numbers)
        and all(array.dtype.kind in "iu" for array in counts.values()),
        "it holds what is no number",
    )
    require(
        all(
            name in counts and trace.spikes.shape[2:] == counts[name].shape[1:]
            for name, trace in traces.items()
        ),
        "its counts are not of the neurons whose spikes it holds",
    )
    require(
        all(
            np.array_equal(t.spikes.sum(0), counts[name][: t.spikes.shape[1]])
            for name, t in traces.items()
        ),
        "its counts are not those of its spikes",
    )
