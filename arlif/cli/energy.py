"""arlif energy: events, operations and joules of what was simulated."""

import csv
import io
from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.cli.output import JsonOption, Output
from arlif.cli.simulate import EngineName
from arlif.errors import require


def energy(
    run: Annotated[Path | None, typer.Argument(metavar="RUN", help="The run's folder.")] = None,
    engine: Annotated[EngineName, typer.Option(help="Whose events are counted.")] = (
        EngineName.INTEGER
    ),
    model: Annotated[
        list[str] | None, typer.Option(help="Cost model: a name or a .toml file; default all.")
    ] = None,
    table3: Annotated[
        bool, typer.Option("--table3", help="Table 3 of the AR-LIF paper, regenerated.")
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="With --table3: spikes per neuron and time step."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Count operations and estimate energy; writes energy.json and energy.csv."""
    output = Output(as_json)
    if table3:
        _table3(output, rate)
        return
    require(run is not None, "name a run, or ask for --table3")
    result = run_energy(Path(str(run)), engine, model)
    show(output, result)
    output.result(result)


def show(output: Output, result: dict[str, Any]) -> None:
    """Print operations layer by layer, then the bill of every model."""
    total = result["total"]
    output.table(
        f"Per inference, mean of {result['samples']} samples",
        ["layer", "spike rate", "synaptic operations", "neuron updates"],
        [
            [
                layer["layer"],
                f"{100 * layer['rate']:.2f} %",
                f"{layer['synaptic_operations']['mean']:,.0f}",
                f"{layer['updates']:,}",
            ]
            for layer in result["layers"]
        ]
        + [["total", "", f"{total['synaptic_operations']['mean']:,.0f}", f"{total['updates']:,}"]],
    )
    output.table(
        "Energy per inference in uJ",
        ["cost model", "mean", "spread", *(layer["layer"] for layer in result["layers"])],
        [
            [
                model,
                f"{spread['mean']:.4f}",
                f"{spread['std']:.4f}",
                *(f"{layer['energy_uj'][model]['total']:.4f}" for layer in result["layers"]),
            ]
            for model, spread in total["energy_uj"].items()
        ],
    )


def run_energy(folder: Path, engine: EngineName, models: list[str] | None) -> dict[str, Any]:
    """Count a simulation's operations; writes energy.json and energy.csv, returns the former."""
    from arlif.cli.source import Source
    from arlif.files import write_text
    from arlif.run import ENERGY, ENERGY_CSV, NIR, Run, outcome, traces
    from export.nir import read_nir
    from hw_sim.agreement import raw_inputs
    from hw_sim.energy.catalogue import MODELS, find_model
    from hw_sim.energy.report import energy_report, layer_rows
    from hw_sim.traces import read_traces

    require(
        engine is not EngineName.FLOAT, "events are counted on integers; choose another --engine"
    )
    run = Run(folder)
    path = run.require_fresh(traces(engine))
    simulated = run.read_json(outcome(engine))
    network = read_nir(run.require(NIR))
    samples, time_steps = Source.from_json(simulated["source"]).load(run)
    result = {
        "engine": str(engine),
        **energy_report(
            network,
            raw_inputs(network, samples.real),
            read_traces(path),
            time_steps,
            [find_model(name) for name in models or MODELS],
        ),
    }
    rows = layer_rows(result)
    text = io.StringIO()
    table = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)))
    table.writeheader()
    table.writerows(rows)
    write_text(run.path(ENERGY_CSV), text.getvalue())
    run.write_json(ENERGY, result)
    return result


def _table3(output: Output, rate: float | None) -> None:
    from dataclasses import asdict

    from hw_sim.energy.table3 import table3

    rows = table3(rate)
    columns = ("parameters_m", "flops_g", "multiply_accumulates_m", "accumulates_m", "energy_uj")
    lines = []
    for row in rows:
        for title, figures in (("paper", row.published), ("arlif", row)):
            lines.append([row.name, title, *(_figure(getattr(figures, c)) for c in columns)])
        for title, value in (
            ("+ neurons", row.energy_with_neurons_uj),
            ("pools as events", row.event_energy_with_neurons_uj),
        ):
            if value is not None:
                lines.append([row.name, title, "", "", "", "", _figure(value)])
    output.table(
        "Table 3 of arXiv:2507.20746: per sample and time step",
        ["row", "", "params M", "FLOPs G", "MACs M", "ACs M", "energy uJ"],
        lines,
    )
    output.say("empty: the paper's figure is not on file, or needs --rate; see docs/energy.md")
    output.result([asdict(row) for row in rows])


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
