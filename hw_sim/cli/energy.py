"""arlif energy: events, operations and joules of what was simulated."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.base.errors import require
from arlif.base.numerals import percent, significant
from hw_sim.cli.flags import engine_option
from hw_sim.cli.output import CsvOption, JsonOption, LatexOption, Output
from hw_sim.engines.table import INTEGER

COLUMNS = ("parameters_m", "flops_m", "multiply_accumulates_m", "accumulates_m", "energy_uj")
"""The figures of Table 3, as the paper orders them."""


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
        bool,
        typer.Option(
            "--table3", help="Table 3 of the AR-LIF paper; RUN's row, at its spike rates."
        ),
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="With --table3: spikes per neuron and time step."),
    ] = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    as_latex: LatexOption = False,
) -> None:
    """Count operations and estimate energy; writes energy.json and energy.csv."""
    output = Output(as_json, as_csv, as_latex)
    if table3:
        require(
            engine is None and not model,
            "--table3 counts the paper's networks at its prices: give neither --engine nor --model",
        )
        require(
            run is None or rate is None, f"the spike rates are those of {run}; leave out --rate"
        )
        _table3(output, run, rate)
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
                output.count(layer["synaptic_operations"]["mean"]),
                output.count(layer["updates"]),
            ]
            for layer in layers
        ]
        + [
            [
                "total",
                "",
                output.count(total["synaptic_operations"]["mean"]),
                output.count(total["updates"]),
            ]
        ],
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


def _table3(output: Output, run: Path | None, rate: float | None) -> None:
    from dataclasses import asdict

    from hw_sim.energy.table3 import Figures, table3
    from hw_sim.pipeline import table3_run

    rows = table3(rate) if run is None else (table3_run(run),)
    lines: list[list[str]] = []

    def add(title: str, values: Sequence[float | None]) -> None:
        if any(value is not None for value in values):
            empty = [None] * (len(COLUMNS) - len(values))
            lines.append([title, *map(_figure, [*empty, *values])])

    def add_all(title: str, figures: Figures) -> None:
        add(title, [getattr(figures, column) for column in COLUMNS])

    for row in rows:
        lines.append([row.name, *[""] * len(COLUMNS)])
        add_all("  paper", row.printed)
        add_all("  arlif, as the paper counts", row.paper_way)
        changes = [row.differences.get(column) for column in COLUMNS]
        lines.append(
            ["  the same / paper - 1", *("" if c is None else percent(c) for c in changes)]
        )
        add("  paper's formula, its operations", [row.formula_uj])
        add_all("  arlif, true count", row.true)
        add("  neurons alone", [row.neuron_uj])
        add("  + neurons", [row.with_neurons_uj])
        events = (row.events_multiply_accumulates_m, row.events_accumulates_m)
        add("  + pools as events", [*events, row.events_with_neurons_uj])
    output.table(
        "Table 3 of arXiv:2507.20746 per sample and time step: millions; energy in uJ",
        ["", "params", "FLOPs", "MACs", "ACs", "energy"],
        lines,
    )
    for reason in dict.fromkeys(row.missing for row in rows if row.missing):
        output.say(f"ours without ACs and energy: {reason}")
    output.say("what differs, and why: docs/energy.md; neurons in floating point")
    output.result([asdict(row) for row in rows])


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"
