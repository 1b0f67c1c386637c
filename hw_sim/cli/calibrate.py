"""arlif calibrate: which number formats does this network need?"""

from dataclasses import asdict
from typing import Annotated

import typer

from arlif.run_folder import Run
from hw_sim.cli.output import JsonOption, Output, RunArgument, percent
from hw_sim.cli.parameters import DataOption, WeightBitsOption
from hw_sim.pipeline.defaults import DEFAULT_BITS


def calibrate(
    run: RunArgument,
    weight_bits: WeightBitsOption = DEFAULT_BITS,
    samples: Annotated[int, typer.Option(min=1, help="Training samples to try on.")] = 256,
    data_folder: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try state and table formats, narrowest first: decisions, spikes changed, saturation."""
    from arlif.quantize.presets import MEANING, spell
    from hw_sim.comparison.calibration import TOLERATED, calibrate_numbers, narrowest
    from hw_sim.pipeline.samples import load_quantizable

    output = Output(as_json)
    trained = load_quantizable(run, data_folder, samples)
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
    share = f"changes at most {100 * TOLERATED:g} % of decisions"
    kept = chosen.keeps()
    fewest = f"none {share}; the one that changes fewest"
    verdict = f"the narrowest that {share}" if kept else fewest
    options = ("--preset", preset, "--weight-bits", str(weight_bits))
    output.say(f"{verdict}: {Run(run).line('quantize', *options)}")
    output.result(
        {
            "formats": [asdict(report) for report in reports],
            "narrowest": asdict(chosen),
            "within_tolerance": kept,
            "preset": preset,
        }
    )
