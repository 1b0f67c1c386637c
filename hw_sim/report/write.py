"""Collects what a run holds and writes report.json and report.html."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure

import arlif
from arlif.artifacts import (
    COMPARE,
    ENERGY,
    IMPORT,
    METRICS,
    MODEL,
    NIR,
    QUANTIZE,
    REPORT_HTML,
    REPORT_JSON,
    SWEEP,
    TRAINING,
)
from arlif.base.errors import FormatError, require
from arlif.base.files import write_text
from arlif.base.lock import only_writer
from arlif.base.numerals import counted, percent, points, significant
from arlif.base.plain_data import to_mapping
from arlif.core.network import NUMERICS_VERSION
from arlif.data import describe
from arlif.run_folder import Run
from arlif.training import plots as training_plots
from arlif.training import read_recipe, recipe_as_written
from arlif.training.finished import read_summary
from arlif.training.metrics import read_metrics
from export.nir import read_nir
from hw_sim.crosscheck.result import Check, read_checks
from hw_sim.engines.simulation import Simulation
from hw_sim.engines.table import ENGINES, FLOAT, INTEGER, Engine
from hw_sim.engines.traces import steps_of
from hw_sim.origin.imported import read_imported
from hw_sim.pipeline.compare import current_comparisons, with_sums
from hw_sim.pipeline.energy import read_energy
from hw_sim.pipeline.quantize import read_quantized
from hw_sim.pipeline.simulated import read_simulations, simulated
from hw_sim.pipeline.sweep_points import DRAWN, read_sweep
from hw_sim.report import spike_plots
from hw_sim.report.crosscheck_plots import check_figure
from hw_sim.report.deployment import deployment
from hw_sim.report.energy_plots import (
    energy_figures,
    neurons_figure,
    projection_names,
    sweep_figure,
)
from hw_sim.report.equal_accuracy import at_equal_accuracy, read_sweeps
from hw_sim.report.judged import judged
from hw_sim.report.svg import svg

SAMPLE = 0

CONTENTS = "<!-- contents -->"
"""Where the page's table of contents stands."""

Plots = dict[str, dict[str, Figure]]
"""Figures by section of the page, then by title."""


def write_report(run: Run, beside: Sequence[Run] = ()) -> dict[str, Any]:
    """Write report.html and report.json from whatever stages a run has been through.

    beside: runs whose sweeps are compared with this one's at equal accuracy. Every number on the
    page is in the JSON, which is returned. Raises ArlifError where the run is missing or neither
    trained nor imported, a file of it is of another version, or one of several has no sweep.
    """
    if not run.imported and not run.has(MODEL):
        run.require(TRAINING)
    with only_writer(run.folder, "report"):
        return _write(run, beside)


def _write(run: Run, beside: Sequence[Run]) -> dict[str, Any]:
    content = _collect(run)
    content |= judged(run, content["engines"])
    plots = _plots(run, content)
    if beside:
        sweeps = read_sweeps([run, *beside])
        content["neurons"] = at_equal_accuracy(sweeps)
        plots["neurons"] = {"networks side by side": neurons_figure(sweeps, DRAWN)}
    content["plots"] = [title for section in plots.values() for title in section]
    page = _page(content, plots)
    write_text(run.path(REPORT_HTML), page)
    run.write_json(REPORT_JSON, content)
    return content


def _page(content: dict[str, Any], plots: Plots) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    environment.filters |= {
        "counted": counted,
        "percent": percent,
        "points": points,
        "significant": significant,
        "projection_names": projection_names,
    }
    drawn = {
        section: {title: svg(figure) for title, figure in drawings.items()}
        for section, drawings in plots.items()
    }
    page = environment.get_template("report.html").render(report=content, plots=drawn)
    sections = re.findall(r'<section id="(\w+)"><h2>(.*?)</h2>', page)
    links = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in sections)
    return page.replace(CONTENTS, f"<nav><ul>{links}</ul></nav>")


def _collect(run: Run) -> dict[str, Any]:
    """Everything the page says, as plain data; what is older than its source is left out."""
    files = (TRAINING, QUANTIZE, COMPARE, ENERGY, SWEEP)
    traces = [file for engine in ENGINES.values() for file in (engine.traces, engine.figures)]
    run.require_whole(*files, *traces)
    engines = simulated(run)
    figures, simulations = read_simulations(run, engines)
    checks, notes = _checks(run)
    sweep = read_sweep(run) if run.is_current(SWEEP) else None
    return {
        "arlif": arlif.__version__,
        "numerics_version": NUMERICS_VERSION,
        "run": str(run.folder),
        "html": str(run.path(REPORT_HTML)),
        "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "recipe": None if run.imported else recipe_as_written(run.folder),
        "imported": _imported(run),
        "training": read_summary(run, read_recipe(run.folder)) if run.has(TRAINING) else None,
        "epochs": read_metrics(run.folder),
        "quantization": read_quantized(run),
        "engines": figures,
        "comparisons": [*map(with_sums, current_comparisons(run).values())],
        "energy": read_energy(run),
        "sweep": to_mapping(sweep) | {"unfinished": sweep.unfinished} if sweep else None,
        "neurons": None,
        "verdict": None,
        "deployment": deployment(run),
        "crosscheck": [to_mapping(check) for check in checks],
        "notes": notes,
        "sample": SAMPLE,
        **_traced(run, dict(zip(engines, simulations, strict=True))),
    }


def _imported(run: Run) -> dict[str, Any] | None:
    """What an imported network was read from; None where that is not known."""
    if not run.is_current(IMPORT):
        return None
    known = read_imported(run)
    return {"from": known.name, "time_steps": known.time_steps}


def _checks(run: Run) -> tuple[list[Check], list[str]]:
    """The checks of the training; where they cannot be read, none and a note on that."""
    try:
        return read_checks(run), []
    except FormatError as error:
        return [], [f"The checks during training are left out: {error}"]


def _plots(run: Run, content: dict[str, Any]) -> Plots:
    """What the run's stages allow to draw."""
    energy, (checks, _) = content["energy"], _checks(run)
    drawn = any(check.figures for check in checks)
    sweep = read_sweep(run).rows if content["sweep"] else ()
    return {
        "training": _training_plots(run, content),
        "spikes": _spike_plots(content),
        "checks": {"accuracy, operations and energy by epoch": check_figure(checks)}
        if drawn
        else {},
        "energy": energy_figures(energy) if energy else {},
        "sweep": {"accuracy and energy": sweep_figure(sweep, DRAWN)} if sweep else {},
        "neurons": {},
    }


def _training_plots(run: Run, content: dict[str, Any]) -> dict[str, Figure]:
    plots = {}
    if content["training"]:
        run.require(METRICS)
        plots["learning curves"] = training_plots.learning_curves(run.folder)
        if symbols := training_plots.learned_symbols(content["epochs"][0]):
            title = f"{' and '.join(symbols)} over training"
            plots[title] = training_plots.learned(run.folder)
    decided = {r["engine"]: r["confusion"] for r in content["engines"] if r["confusion"]}
    if decided:
        engine = INTEGER.name if INTEGER.name in decided else next(iter(decided))
        recipe, confusion = content["recipe"], np.array(decided[engine])
        numbers = tuple(str(number) for number in range(len(confusion)))
        classes = describe(recipe["dataset"]).classes if recipe else numbers
        require(
            len(classes) == len(confusion),
            f"{engine} decided between {len(confusion)} classes, the dataset has {len(classes)}; "
            f"simulate again with: {run.command(ENGINES[engine].traces)}",
            FormatError,
        )
        matrix = training_plots.confusion_figure(confusion, classes)
        plots[f"confusion matrix, {engine}"] = matrix
    return plots


def _spike_plots(content: dict[str, Any]) -> dict[str, Figure]:
    plots = {}
    if any(engine["spike_rate"] for engine in content["engines"]):
        plots["spike rate per layer"] = spike_plots.spike_rates(content["engines"])
    if content["raster"]:
        title = f"spikes of sample {SAMPLE}"
        plots[title] = spike_plots.raster(content["raster"], content["raster_neurons"])
    if content["membrane"]:
        title = "membrane potential, float and fixed point"
        plots[title] = spike_plots.membrane(content["membrane"])
    return plots


def _traced(run: Run, simulations: Mapping[Engine, Simulation]) -> dict[str, Any]:
    """What the engines recorded of one sample: spikes of the exact ones, states beside float's."""
    recorded = {engine.name: found for engine, found in simulations.items() if found.traces}
    membrane = {}
    # An imported network's populations have units that were fitted to them and stand in no file.
    if {FLOAT.name, INTEGER.name} <= recorded.keys() and not run.imported:
        scales = steps_of(read_nir(run.require(NIR)))
        membrane = spike_plots.membrane_values(
            recorded[FLOAT.name], recorded[INTEGER.name], scales, SAMPLE
        )
    exact = {name: s for name, s in recorded.items() if ENGINES[name].exact}
    values = spike_plots.raster_values(exact, SAMPLE)
    return {
        "raster": values,
        "raster_neurons": spike_plots.raster_neurons(exact, values),
        "membrane": membrane,
    }
