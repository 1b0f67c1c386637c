"""prove_run: the printed hardware of every neuron of a run against the specification."""

from pathlib import Path
from typing import Any

from arlif.artifacts import NIR
from arlif.base.errors import require
from arlif.core.equality import fingerprint
from arlif.core.proven_ranges import population_ranges
from arlif.run_folder import Run
from export.nir import read_nir
from export.smt import cells
from hw_sim.engines.deployed.proof import chosen, hardware, proven
from hw_sim.pipeline.defaults import PROVEN_CELLS


def prove_run(folder: Path, count: int = PROVEN_CELLS) -> dict[str, Any]:
    """Prove, for every population, that its neuron's Verilog is the step; writes nothing.

    The currents and states are all that the population can have. count: of the cells of tables of
    x, spread evenly; a neuron without such tables is proven for all currents at once.
    Raises ArlifError where network.nir is missing, damaged or older than the model, SimulationError
    where a tool is missing.
    """
    require(count >= 1, f"at least 1 cell is proven, not {count}")
    network = read_nir(Run(folder).require(NIR))
    rows, known = [], dict[str, dict[str, Any]]()
    for population in network.populations:
        neuron = population.neuron
        ranges = population_ranges(network, population.name).neuron
        key = f"{fingerprint(neuron)} {ranges.x}"
        if key not in known:
            asked = chosen(neuron, ranges, count)
            verdicts = proven(neuron, ranges, hardware(neuron, ranges), asked)
            found = next((v.found for v in verdicts if v.found), None)
            known[key] = {
                "neuron": neuron.name,
                "x": list(ranges.x),
                "states": {name: list(ends) for name, ends in ranges.states.items()},
                "cells": len(cells(neuron, ranges)),
                "cells_proven": sum(v.found is None for v in verdicts),
                "cells_asked": len(verdicts),
                "difference": found,
            }
        rows.append({"population": population.name, **known[key]})
    return {"proven": all(row["difference"] is None for row in rows), "populations": rows}
