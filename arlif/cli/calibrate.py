"""arlif calibrate: which number formats does this network need?"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from arlif.cli.output import JsonOption, Output, RunArgument, percent


def calibrate(
    run: RunArgument,
    weight_bits: Annotated[int, typer.Option(help="Bits per weight, 2 to 8.")] = 8,
    samples: Annotated[int, typer.Option(min=1, help="Training samples to try on.")] = 256,
    data: Annotated[Path | None, typer.Option(help="Where datasets lie.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Try state and table formats, narrowest first: decisions, spikes changed, saturation."""
    from arlif.cli.samples import load_quantizable
    from hw_sim.calibration import calibrate_numbers, narrowest

    output = Output(as_json)
    trained = load_quantizable(run, data, samples)
    reports = calibrate_numbers(
        trained.module,
        trained.linear,
        trained.source,
        trained.calibration.real,
        trained.recipe.time_steps,
        weight_bits,
    )
    rows = []
    for report in reports:
        numbers = report.precision.numbers
        state, tables = numbers.state_format, numbers.tables
        rows.append(
            [
                f"{state.bits}/{state.frac_bits}",
                str(numbers.factor_bits),
                f"{tables.entries} in [{tables.low:g}, {tables.high:g})",
                f"{report.outputs_changed} of {report.samples}",
                percent(report.spikes_changed),
                percent(report.saturated),
            ]
        )
    output.table(
        f"What changes with {weight_bits}-bit weights; spikes and saturation: worst layer",
        ["state", "factor", "tables", "decisions", "spikes", "saturated"],
        rows,
    )
    chosen = narrowest(reports)
    state = chosen.precision.numbers.state_format
    output.say(
        f"state: bits/fraction; the narrowest that changes at most 1 % of decisions: "
        f"{state.bits}/{state.frac_bits}"
    )
    output.result({"formats": [asdict(r) for r in reports], "narrowest": asdict(chosen)})
