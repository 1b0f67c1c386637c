"""energy_run: operations and joules of what was simulated."""

import csv
import io
from collections.abc import Sequence
from math import isclose
from pathlib import Path
from typing import Any

from arlif.artifacts import ENERGY, ENERGY_CSV, METRICS, MODEL
from arlif.base.errors import FormatError, require
from arlif.base.files import write_text
from arlif.core.equality import fingerprint
from arlif.run_content import read_checked
from arlif.run_folder import Run, writes
from arlif.training import read_recipe
from arlif.training.metrics import RATE, read_metrics
from export.file_formats import read_integers
from hw_sim.energy.bill import energy_report, layer_rows
from hw_sim.energy.billed import Billed
from hw_sim.energy.catalogue import find_model
from hw_sim.energy.table3 import Rates, Table3Row, row_of, table3_row
from hw_sim.engines.simulation import raw_inputs
from hw_sim.engines.table import INTEGER, find_engine
from hw_sim.pipeline.samples import Selection
from hw_sim.pipeline.simulate import read_figures
from hw_sim.pipeline.simulated import read_simulations


@writes("energy")
def energy_run(
    folder: Path, engine: str = INTEGER.name, models: Sequence[str] | None = None
) -> dict[str, Any]:
    """Count a simulation's operations; writes energy.json and energy.csv, returns the former.

    models: cost models, by name or as .toml files; by default every built-in one that prices
    all neurons. The network is read from the file that the engine ran; ONNX Runtime's is the
    .nir that its graph was made from. Raises ArlifError where a simulation is missing, or
    belongs to another network or to inputs that have changed since.
    """
    row = find_engine(engine)
    require(row.exact, "events are counted on integers; choose another --engine")
    priced = None if models is None else [find_model(name) for name in models]
    names = [model.name for model in priced or ()]
    require(
        len({*names}) == len(names), f"cost models need different names, not {', '.join(names)}"
    )
    run = Run(folder)
    path = run.require(row.traces)
    (simulated,), (simulation,) = read_simulations(run, [row])
    network, file = read_integers(run, row.reads)
    again = f"simulate again with: {run.command(row.traces)}"
    require(
        simulated["network"] in (None, fingerprint(network)),
        f"{path} comes from another network than {file}; {again}",
    )
    samples, time_steps = Selection.from_json(simulated["source"]).load(run)
    require(
        samples.digests == simulated["inputs"],
        f"the inputs have changed since {path} was simulated; {again}",
    )
    inputs = raw_inputs(network, samples.real)
    counted = energy_report(network, inputs, simulation, time_steps, priced)
    result = {"engine": engine, **counted}
    rows = layer_rows(result)
    text = io.StringIO()
    table = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)))
    table.writeheader()
    table.writerows(rows)
    write_text(run.path(ENERGY_CSV), text.getvalue())
    run.write_json(ENERGY, result)
    run.record(ENERGY_CSV, ENERGY, made_from=(row.traces, row.figures))
    return result


def table3_run(folder: Path) -> Table3Row:
    """The row of Table 3 that a trained run's network is, at the spike rates of its last epoch.

    Raises ArlifError where the run was not trained here or its network is none of the table.
    """
    run = Run(folder)
    for artifact in (MODEL, METRICS):
        run.require(artifact)
    row = row_of(read_recipe(folder).network())
    epochs = read_metrics(folder)
    require(bool(epochs), f"{run.path(METRICS)} is missing, which holds the spike rates")
    found = {k.removeprefix(RATE): v for k, v in epochs[-1].items() if k.startswith(RATE)}
    return table3_row(row, Rates(layers=found))


def read_energy(run: Run) -> dict[str, Any] | None:
    """What energy_run found in the simulation that the run holds now; None where it did not count.

    Raises ArlifError where the file is damaged, of another version or of another simulation.
    """
    if not run.is_current(ENERGY):
        return None
    found = read_checked(run, Billed, ENERGY)
    figures = read_figures(run, find_engine(found["engine"]))
    rates = {row["layer"]: row["rate"] for row in found["layers"]}
    require(
        found["samples"] == figures["samples"]
        and all(
            name in rates and isclose(rates[name] or 0.0, rate, rel_tol=1e-9)
            for name, rate in figures["spike_rate"].items()
        ),
        f"{run.path(ENERGY)} is not of the spikes of engine {found['engine']}; write it again "
        f"with: {run.command(ENERGY)}",
        FormatError,
    )
    return found
