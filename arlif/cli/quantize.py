"""arlif quantize: from a trained network to integers."""

from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.cli.output import JsonOption, Output, RunArgument, percent

CHECKED_SAMPLES = 256
STOCK_LAVA = "stock-lava"
"""The numbers that lava-dl's own netx runs: plain LIF with hard reset only."""


def quantize(
    run: RunArgument,
    preset: Annotated[
        str,
        typer.Option(help="Formats: compact16, loihi24, stock-lava or as arlif calibrate prints."),
    ] = "compact16",
    weight_bits: Annotated[int, typer.Option(help="Bits per weight, 2 to 8.")] = 8,
    qat: Annotated[
        int, typer.Option(min=0, help="Epochs of quantization-aware training; 0 rounds only.")
    ] = 0,
    samples: Annotated[
        int, typer.Option(min=1, help="Test samples to compare on.")
    ] = CHECKED_SAMPLES,
    data: Annotated[Path | None, typer.Option(help="Where datasets lie.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Quantize a trained network; writes network.nir and says what changed and how it decides."""
    output = Output(as_json)
    result = run_quantize(run, preset, weight_bits, qat, data, samples)
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


def run_quantize(
    folder: Path,
    preset: str,
    weight_bits: int,
    qat: int,
    data: Path | None,
    samples: int = CHECKED_SAMPLES,
) -> dict[str, Any]:
    """Quantize a run: writes network.nir and quantize.json, returns the latter's content."""
    from arlif.cli.numbers import read_numbers
    from arlif.cli.samples import load_quantizable, load_spread
    from arlif.errors import require
    from arlif.quantize import Precision, QatNetwork, quantize_for_stock_lava
    from arlif.quantize import quantize as quantize_network
    from arlif.quantize.finetune import finetune, finetuning
    from arlif.run import NIR, QUANTIZE, Run
    from export.nir import write_nir
    from hw_sim.agreement import agreement

    stock = preset == STOCK_LAVA
    require(
        not stock or (weight_bits == 8 and not qat),
        f"{STOCK_LAVA} takes 8-bit weights and no --qat: stock Lava's numbers are fixed",
    )
    precision = Precision(read_numbers("loihi24" if stock else preset), weight_bits)
    trained = load_quantizable(folder, data)
    linear, source, recipe = trained.linear, trained.source, trained.recipe
    if stock:
        network = quantize_for_stock_lava(linear, source, recipe.time_steps)
    elif qat:
        trainable = QatNetwork(linear, source, precision, recipe.time_steps)
        finetune(trainable, finetuning(recipe, qat), recipe.load_data(data))
        network = trainable.quantized()
    else:
        network = quantize_network(linear, source, precision, recipe.time_steps)
    run = Run(folder)
    write_nir(network, run.path(NIR))
    test = load_spread(recipe, data, "test", samples)
    result = {
        "preset": preset,
        "weight_bits": weight_bits,
        "qat_epochs": qat,
        **agreement(trained.module, network, test.real, test.labels),
    }
    run.write_json(QUANTIZE, result)
    return result
