"""arlif calibrate: which number formats does this network need?"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from arlif.cli.numbers import MEANING, spell
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
    output.table(
        f"What changes with {weight_bits}-bit weights; spikes and saturation: worst layer",
        ["numbers", "decisions", "spikes", "saturated"],
        [
            [
                spell(report.precision.numbers),
                f"{report.outputs_changed} of {report.samples}",
                percent(report.spikes_changed),
                percent(report.saturated),
            ]
            for report in reports
        ],
    )
    chosen = narrowest(reports)
    preset = spell(chosen.precision.numbers)
    output.say(f"numbers: {MEANING}")
    output.say(
        f"the narrowest that changes at most 1 % of decisions: arlif quantize {run} "
        f"--preset {preset} --weight-bits {weight_bits}"
    )
    output.result(
        {
            "formats": [asdict(report) for report in reports],
            "narrowest": asdict(chosen),
            "preset": preset,
        }
    )
