"""The report's section on deployment: proven ranges, memory of the C, what devices can hold."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from arlif.artifacts import NIR, RESOURCES
from arlif.base.bounded import Amount, Count
from arlif.base.errors import require
from arlif.base.plain_data import BESIDE, to_mapping
from arlif.core.network import Population, QuantizedNetwork
from arlif.core.proven_ranges import population_ranges
from arlif.core.ranges import Interval, width
from arlif.run_content import checked
from arlif.run_folder import Run
from export.c.c_manifest import read_manifest
from export.file_formats import C
from export.nir import read_nir
from hw_sim.energy.neuron_titles import neuron_title
from hw_sim.engines.table import find_engine
from hw_sim.pipeline.resources import neurons_of, read_resources
from hw_sim.pipeline.simulate import read_figures


@dataclass(frozen=True)
class Instructions:
    """Of one inference, over the inputs that were counted."""

    least: Count
    mean: Amount
    most: Count

    __pydantic_config__: ClassVar = BESIDE


@dataclass(frozen=True)
class Target:
    """A row of resources.json, as far as the page shows it.

    memory (bytes by array): of microcontrollers; stack, instructions: of those that it was run on.
    mhz: of FPGAs, once placed.
    """

    target: str
    neurons: str
    used: dict[str, Count]
    available: dict[str, Count]
    fits: bool
    cure: str
    stack: Count | None = None
    memory: dict[str, Count] | None = None
    instructions: Instructions | None = None
    mhz: Amount | None = None

    __pydantic_config__: ClassVar = BESIDE

    def __post_init__(self) -> None:
        lacks = self.used.keys() - self.available.keys()
        require(not lacks, f"available does not say how many {', '.join(sorted(lacks))} there are")
        require(
            self.fits is not bool(self.cure), "cure says what is too much where it does not fit"
        )
        require(
            (self.stack is None) == (self.instructions is None)
            and (self.stack is None or self.memory is not None),
            "stack and instructions are both of a microcontroller with its memory, or none is",
        )


def deployment(run: Run) -> dict[str, Any] | None:
    """What is proven and was measured of a run's integers; None where it has none that are current.

    Raises ArlifError where a file is damaged.
    """
    if not run.is_current(NIR):
        return None
    network = read_nir(run.require(NIR))
    targets = [checked(run, Target, row, RESOURCES) for row in read_resources(run)]
    return {
        "neurons": neurons_of(network),
        "populations": [_ranges(network, population) for population in network.populations],
        "c": _program(run) if run.is_fresh(C) else None,
        "microcontrollers": [to_mapping(row) for row in targets if row.memory is not None],
        "fpgas": [to_mapping(row) for row in targets if row.memory is None],
        "clocks_per_inference": _clocks(run),
    }


def _ranges(network: QuantizedNetwork, population: Population) -> dict[str, Any]:
    """What a population's numbers never leave, and the bits that hold it."""
    found, neuron = population_ranges(network, population.name), population.neuron
    saturates = found.neuron.saturates(neuron)
    return {
        "population": population.name,
        "neuron": neuron_title(neuron),
        "neurons": int(np.prod(population.shape)),
        "format_bits": neuron.state_format.bits,
        "accumulator": _proven(found.accumulator),
        "current": _proven(found.neuron.x),
        "states": {name: _proven(ends) for name, ends in found.neuron.states.items()},
        "saturates": saturates,
    }


def _proven(ends: Interval) -> dict[str, Any]:
    return {"range": list(ends), "bits": width(ends)}


def _program(run: Run) -> dict[str, Any]:
    """Bytes of the exported C, as its manifest has them."""
    found = read_manifest(run.path(C).parent)
    return {
        "style": found.style,
        "constant_bytes": found.constant_bytes,
        "memory": found.memory,
        "memory_bytes": sum(found.memory.values()),
    }


def _clocks(run: Run) -> float | None:
    """Clocks of an inference, where the exported hardware was simulated."""
    engine = find_engine("verilog")
    if not run.is_current(engine.figures):
        return None
    clocks: float | None = read_figures(run, engine).get("clocks_per_inference")
    return clocks
