"""arlif calibrate: which number formats does this network need?"""

from typing import Annotated

import typer

from arlif.base.numerals import percent
from arlif.base.plain_data import from_mapping
from arlif.run_folder import Run
from hw_sim.cli.output import CsvOption, JsonOption, LatexOption, Output, RunArgument
from hw_sim.cli.parameters import DataOption, InputsOption, WeightBitsOption, own_data
from hw_sim.pipeline.defaults import CHECKED_SAMPLES, DEFAULT_BITS


def calibrate(
    run: RunArgument,
    weight_bits: WeightBitsOption = DEFAULT_BITS,
    samples: Annotated[
        int | None,
        typer.Option(min=1, help=f"Training samples to try on; default {CHECKED_SAMPLES}."),
    ] = None,
    data_folder: DataOption = None,
    inputs: InputsOption = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    as_latex: LatexOption = False,
) -> None:
    """Try state and table formats, narrowest first: decisions, spikes changed, saturation."""
    from arlif.quantize.presets import MEANING, spell
    from hw_sim.comparison.calibration import TOLERATED, QuantizationReport
    from hw_sim.pipeline import calibrate_run

    output, own = Output(as_json, as_csv, as_latex), own_data(inputs, None, data_folder)
    result = calibrate_run(run, weight_bits, samples or CHECKED_SAMPLES, data_folder, own)
    reports = [from_mapping(QuantizationReport, row, "formats") for row in result["formats"]]
    output.say_fewer(samples, min(report.samples for report in reports))
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
    output.say(f"numbers: {MEANING}")
    share = f"changes at most {100 * TOLERATED:g} % of decisions"
    fewest = f"none {share}; the one that changes fewest"
    verdict = f"the narrowest that {share}" if result["within_tolerance"] else fewest
    options = ("--preset", result["preset"], "--weight-bits", str(weight_bits))
    output.say(f"{verdict}: {Run(run).line('quantize', *options)}")
    output.result(result)
