"""arlif quantize: from a float network to integers."""

from typing import Annotated, Any

import typer

from arlif.base.numerals import percent
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import (
    ChosenBitsOption,
    ChosenPresetOption,
    DataOption,
    InputsOption,
    LabelsOption,
    own_data,
)
from hw_sim.pipeline.defaults import CHECKED_SAMPLES


def quantize(
    run: RunArgument,
    preset: ChosenPresetOption = None,
    weight_bits: ChosenBitsOption = None,
    qat: Annotated[
        int, typer.Option(min=0, help="Epochs of quantization-aware training; 0 rounds only.")
    ] = 0,
    samples: Annotated[
        int | None,
        typer.Option(
            min=1, help=f"Samples to compare on, of the test split; default {CHECKED_SAMPLES}."
        ),
    ] = None,
    data_folder: DataOption = None,
    inputs: InputsOption = None,
    labels: LabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Quantize a float network; writes network.nir and says what changed and how it decides."""
    from hw_sim.pipeline import quantize_run

    output, own = Output(as_json), own_data(inputs, labels, data_folder)
    count = samples or CHECKED_SAMPLES
    result = quantize_run(run, preset, weight_bits, qat, count, data_folder, own)
    output.say_fewer(samples, result["samples"])
    show(output, result)
    output.result(result)


def show(output: Output, result: dict[str, Any]) -> None:
    """Print what quantization changed."""
    output.table(
        f"{result['preset']}, {result['weight_bits']}-bit weights: what quantization changed on "
        f"{result['samples']} {result['judged_on']} samples",
        ["layer", "neurons", "spikes changed", "states saturated"],
        [
            [name, str(row["neurons"]), percent(row["changed"]), percent(row["saturated"])]
            for name, row in result["layers"].items()
        ],
    )
    known = "accuracy" in result
    accuracy = (
        f"; accuracy {percent(result['float_accuracy'])} in float, "
        f"{percent(result['accuracy'])} in integers"
        if known
        else ""
    )
    output.say(f"decisions changed: {result['decisions_changed']} of {result['samples']}{accuracy}")
