"""Collects what a run holds and writes report.json and report.html."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, UndefinedError

import arlif
from arlif.core.network import NUMERICS_VERSION
from arlif.data import describe
from arlif.errors import FormatError
from arlif.files import write_text
from arlif.run import (
    COMPARE,
    CONFIG,
    ENERGY,
    ENGINE_INPUT,
    NIR,
    QUANTIZE,
    REPORT_HTML,
    REPORT_JSON,
    SWEEP,
    TRAINING,
    Artifact,
    Run,
    counted,
    outcome,
    traces,
)
from arlif.training import figures as training_figures
from arlif.training.metrics import read_metrics
from export.nir import read_nir
from hw_sim.crosscheck.figures import check_figure
from hw_sim.crosscheck.result import CROSSCHECK, read_checks
from hw_sim.energy.figures import energy_figures, neurons_figure, sweep_figure
from hw_sim.report import figures
from hw_sim.report.neurons import at_equal_accuracy, read_sweep, read_sweeps, sweep_rows
from hw_sim.traces import read_traces

SAMPLE = 0
SWEEP_MODEL = "integer"
"""What is on the axis of sweeps: it prices bit widths and the neurons' own arithmetic."""


def write_report(run: Run, beside: Sequence[Run] = ()) -> dict[str, Any]:
    """Write report.html and report.json from whatever stages a run has been through.

    beside: runs whose sweeps are compared with this one's at equal accuracy. Every number on the
    page is in the JSON, which is returned. Raises ArlifError where the run is missing or has not
    been trained, or one of several has no sweep.
    """
    run.require(TRAINING)
    content = _collect(run)
    plots = _plots(run, content)
    if beside:
        sweeps = read_sweeps([run, *beside])
        content["neurons"] = at_equal_accuracy(sweeps)
        plots["networks side by side"] = figures.svg(neurons_figure(sweeps, SWEEP_MODEL))
    content["plots"] = list(plots)
    environment = Environment(
        loader=PackageLoader("hw_sim.report", "."), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["percent"] = lambda fraction: f"{round(100 * fraction, 2) + 0.0:.2f} %"
    try:
        page = environment.get_template("report.html").render(report=content, plots=plots)
    except (UndefinedError, KeyError, TypeError) as error:
        raise FormatError(
            f"a JSON file of {run.folder} lacks a field ({error}); it was written by another "
            "version or by hand: run its stages again"
        ) from None
    write_text(run.path(REPORT_HTML), page)
    run.write_json(REPORT_JSON, content)
    return content


def _collect(run: Run) -> dict[str, Any]:
    """Everything the page says, as plain data; what is older than its source is left out."""
    engines = [engine for engine in ENGINE_INPUT if run.is_fresh(outcome(engine))]
    compared = run.read_json(COMPARE).values() if run.has(COMPARE) else ()
    return {
        "arlif": arlif.__version__,
        "numerics_version": NUMERICS_VERSION,
        "run": str(run.folder),
        "html": str(run.path(REPORT_HTML)),
        "recipe": run.read_json(CONFIG),
        "training": run.read_json(TRAINING),
        "epochs": read_metrics(run.folder),
        "quantization": _current(run, QUANTIZE),
        "engines": [run.read_json(outcome(engine)) for engine in engines],
        "comparisons": [c for c in compared if {c["want"], c["got"]} <= set(engines)],
        "energy": _energy(run),
        "sweep": read_sweep(run) if run.is_fresh(SWEEP) else None,
        "neurons": None,
        "crosscheck": _current(run, CROSSCHECK) or [],
        "sample": SAMPLE,
        **_traced(run, engines),
    }


def _current(run: Run, artifact: Artifact) -> Any:
    return run.read_json(artifact) if run.is_fresh(artifact) else None


def _energy(run: Run) -> Any:
    """The energy of the simulation that the run holds now; None where that was not counted."""
    content = run.read_json(ENERGY) if run.has(ENERGY) else {}
    engine = content.get("engine")
    return content if engine in ENGINE_INPUT and run.is_fresh(counted(engine)) else None


def _plots(run: Run, content: dict[str, Any]) -> dict[str, str]:
    """The page's plots by title, those that the run's stages allow."""
    plots = {"learning curves": training_figures.learning_curves(run.folder)}
    if any(name.startswith("alpha/") for name in content["epochs"][0]):
        title = "alpha and beta over training (Fig. 3 of the paper)"
        plots[title] = training_figures.alpha_beta(run.folder)
    rates = {result["engine"]: result["spike_rate"] for result in content["engines"]}
    if rates:
        plots["spike rate per layer"] = figures.spike_rates(rates)
    decided = {r["engine"]: r["confusion"] for r in content["engines"] if r.get("confusion")}
    if decided:
        engine = "integer" if "integer" in decided else next(iter(decided))
        classes = describe(content["recipe"]["dataset"]).classes
        matrix = training_figures.confusion_figure(np.array(decided[engine]), classes)
        plots[f"confusion matrix, {engine}"] = matrix
    if content["raster"]:
        plots[f"spikes of test sample {SAMPLE}"] = figures.raster(content["raster"])
    if content["membrane"]:
        title = "membrane potential, float and fixed point"
        plots[title] = figures.membrane(content["membrane"])
    checks = read_checks(run)
    if any(check.figures for check in checks):
        plots["checks during training"] = check_figure(checks)
    if content["energy"]:
        plots |= energy_figures(content["energy"])
    if content["sweep"]:
        plots["accuracy and energy"] = sweep_figure(sweep_rows(content["sweep"]), SWEEP_MODEL)
    return {title: figures.svg(figure) for title, figure in plots.items()}


def _traced(run: Run, engines: Sequence[str]) -> dict[str, Any]:
    """What the engines recorded of one sample: spikes of the exact ones, states beside float's."""
    every = {engine: read_traces(run.require(traces(engine))) for engine in engines}
    recorded = {engine: simulation for engine, simulation in every.items() if simulation.traces}
    membrane = {}
    if "float" in recorded and "integer" in recorded:
        scales = _state_scales(run.require(NIR))
        membrane = figures.membrane_values(recorded["float"], recorded["integer"], scales, SAMPLE)
    exact = {engine: s for engine, s in recorded.items() if engine != "float"}
    return {"raster": figures.raster_values(exact, SAMPLE), "membrane": membrane}


def _state_scales(network: Path) -> dict[str, float]:
    """Real value of one raw state step, per population."""
    return {p.name: 1.0 / p.neuron.state_format.one for p in read_nir(network).populations}
