"""arlif quantize: from a trained network to integers."""

from typing import Annotated, Any

import typer

from arlif.base.numerals import percent
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import DataOption, PresetOption, WeightBitsOption
from hw_sim.pipeline.defaults import CHECKED_SAMPLES, DEFAULT_BITS, DEFAULT_PRESET


def quantize(
    run: RunArgument,
    preset: PresetOption = DEFAULT_PRESET,
    weight_bits: WeightBitsOption = DEFAULT_BITS,
    qat: Annotated[
        int, typer.Option(min=0, help="Epochs of quantization-aware training; 0 rounds only.")
    ] = 0,
    samples: Annotated[
        int, typer.Option(min=1, help="Test samples to compare on.")
    ] = CHECKED_SAMPLES,
    data_folder: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Quantize a trained network; writes network.nir and says what changed and how it decides."""
    from hw_sim.pipeline import quantize_run

    output = Output(as_json)
    result = quantize_run(run, preset, weight_bits, qat, samples, data_folder)
    show(output, result)
    output.result(result)


def show(output: Output, result: dict[str, Any]) -> None:
    """Print what quantization changed."""
    output.table(
        f"{result['preset']}, {result['weight_bits']}-bit weights: what quantization changed on "
        f"{result['samples']} test samples",
        ["layer", "neurons", "spikes changed", "states saturated"],
        [
            [name, str(row["neurons"]), percent(row["changed"]), percent(row["saturated"])]
            for name, row in result["layers"].items()
        ],
    )
    output.say(
        f"decisions changed: {result['decisions_changed']} of {result['samples']}; accuracy "
        f"{percent(result['float_accuracy'])} in float, {percent(result['accuracy'])} in integers"
    )
