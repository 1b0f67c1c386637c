"""arlif energy: events, operations and joules of what was simulated."""

from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.base.errors import require
from arlif.base.numerals import percent, significant, whole
from hw_sim.cli.flags import engine_option
from hw_sim.cli.output import JsonOption, Output
from hw_sim.engines.table import INTEGER


def energy(
    run: Annotated[Path | None, typer.Argument(metavar="RUN", help="The run's folder.")] = None,
    engine: Annotated[
        str | None, engine_option("--engine", "Whose events are counted; default integer.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Cost model: a name or a .toml file; default all that have the prices."),
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
        require(
            run is None and engine is None and not model,
            "--table3 counts the paper's networks at its prices: give neither RUN nor --engine nor "
            "--model",
        )
        _table3(output, rate)
        return
    require(rate is None, "--rate is for --table3; a run's spikes are counted")
    require(run is not None, "name a run, or ask for --table3")

    from hw_sim.pipeline import energy_run

    result = energy_run(Path(str(run)), engine or INTEGER.name, model or None)
    show(output, result)
    output.result(result)


def show(output: Output, result: dict[str, Any]) -> None:
    """Print operations and energy layer by layer, by cost model."""
    total, layers, models = result["total"], result["layers"], list(result["models"])
    output.table(
        f"Per inference, mean of {result['samples']} samples",
        ["layer", "spike rate", "synaptic operations", "neuron updates"],
        [
            [
                layer["layer"],
                "" if layer["rate"] is None else percent(layer["rate"]),
                whole(layer["synaptic_operations"]["mean"]),
                whole(layer["updates"]),
            ]
            for layer in layers
        ]
        + [["total", "", whole(total["synaptic_operations"]["mean"]), whole(total["updates"])]],
    )
    lines = [
        *([la["layer"], *(la["energy_uj"][model]["mean"] for model in models)] for la in layers),
        ["total", *(total["energy_uj"][model]["mean"] for model in models)],
        ["spread", *(total["energy_uj"][model]["std"] for model in models)],
    ]
    output.table(
        "Energy per inference in uJ; spread: of the total over samples",
        ["layer", *models],
        [[name, *map(significant, values)] for name, *values in lines],
    )
    if result["left_out"]:
        output.say(
            f"without {', '.join(result['left_out'])}, which has no published price for some of "
            "these neurons; --model takes prices of your own"
        )


def _table3(output: Output, rate: float | None) -> None:
    from dataclasses import asdict

    from hw_sim.energy.table3 import table3

    rows = table3(rate)
    columns = ("parameters_m", "flops_m", "multiply_accumulates_m", "accumulates_m", "energy_uj")
    lines = []
    for row in rows:
        lines.append([row.name, "", "", "", "", ""])
        for title, figures in (("paper", row.published), ("arlif", row)):
            values = [getattr(figures, column) for column in columns]
            if any(value is not None for value in values):
                lines.append([f"  {title}", *map(_figure, values)])
        if row.differences:
            changes = [row.differences.get(column) for column in columns]
            lines.append(
                ["  arlif / paper - 1", *("" if c is None else percent(c) for c in changes)]
            )
        events = (row.event_multiply_accumulates_m, row.event_accumulates_m)
        for title, known in (
            ("neurons alone", (None, None, row.neuron_uj)),
            ("+ neurons", (None, None, row.energy_with_neurons_uj)),
            ("+ pools as events", (*events, row.event_energy_with_neurons_uj)),
        ):
            if any(value is not None for value in known):
                lines.append([f"  {title}", "", "", *map(_figure, known)])
    output.table(
        "Table 3 of arXiv:2507.20746 per sample and time step: millions; energy in uJ",
        ["", "params", "FLOPs", "MACs", "ACs", "energy"],
        lines,
    )
    output.say(
        "paper: the figures that are on file, see docs/energy.md; ACs and energies with them need "
        "--rate; neurons in floating point"
    )
    output.result([asdict(row) for row in rows])


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"
