"""Simulations on disk: HDF5, one file per engine, written atomically."""

from pathlib import Path

import h5py
import numpy as np

from arlif.base.errors import FormatError
from arlif.base.files import atomic_path
from hw_sim.engines.simulation import Simulation, Trace


def write_traces(simulation: Simulation, path: Path) -> None:
    """Write readout, counts and traces; spikes as uint8, states in their own type."""
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file["readout"] = simulation.readout
        for name, counts in simulation.counts.items():
            file.create_dataset(f"counts/{name}", data=counts, compression="gzip")
        for name, trace in simulation.traces.items():
            spikes = trace.spikes.astype(np.uint8)
            file.create_dataset(f"traces/{name}/spikes", data=spikes, compression="gzip")
            for state, values in trace.states.items():
                file.create_dataset(
                    f"traces/{name}/states/{state}", data=values, compression="gzip"
                )


def read_traces(path: Path) -> Simulation:
    """Read what write_traces wrote. Raises FormatError on any other file."""
    try:
        with h5py.File(path, "r") as file:
            return Simulation(
                readout=file["readout"][()],
                counts={name: data[()] for name, data in file.get("counts", {}).items()},
                traces={
                    name: Trace(
                        group["spikes"][()].astype(bool),
                        {state: data[()] for state, data in group.get("states", {}).items()},
                    )
                    for name, group in file.get("traces", {}).items()
                },
            )
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise FormatError(f"{path} is not a trace file ({error}); simulate again") from None
