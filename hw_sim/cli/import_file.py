"""arlif import: a network from another tool, or of your own code, becomes a run."""

from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.base.errors import require
from arlif.base.numerals import counted, percent
from arlif.core.nodes import OverTime
from arlif.run_folder import Run
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import ChangeOption, ChosenBitsOption, ChosenPresetOption


def import_network(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A .nir or .net file, FILE.py:FUNCTION that returns a torch module, or a "
            "checkpoint (.pth) that was released of a recipe's network.",
        ),
    ],
    run: RunArgument,
    time_steps: Annotated[
        int | None, typer.Option(min=1, help="T, where FILE does not say it.")
    ] = None,
    dt: Annotated[
        float | None, typer.Option(help="Seconds per time step, where a NIR file needs it.")
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            metavar="SOURCE",
            help="Real inputs (as --inputs) that set scales; default random spikes, scale 1.",
        ),
    ] = None,
    preset: ChosenPresetOption = None,
    weight_bits: ChosenBitsOption = None,
    readout: Annotated[
        OverTime | None,
        typer.Option(
            help="Of a NIR file that ends with potentials: the last or the largest decides, not "
            "their mean."
        ),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Of a checkpoint: the recipe of its network.")
    ] = None,
    change: ChangeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a NIR graph, a .net file or a torch module of yours; writes network.nir.

    Of a checkpoint: a run as if it had been trained here, config.json and model.pt.
    """
    from arlif.training.recipe import parse_changes
    from hw_sim.pipeline import import_run
    from hw_sim.pipeline.import_checkpoint import import_checkpoint, is_checkpoint

    output = Output(as_json)
    if recipe is not None or change or is_checkpoint(file):
        others = (time_steps, dt, calibrate, preset, weight_bits, readout)
        require(
            recipe is None or others == (None,) * len(others),
            "a checkpoint takes its time steps from the --recipe (--set time_steps=4), and becomes "
            "integers by arlif quantize; leave the other options out",
        )
        changes = parse_changes(change or ())
        _say_checkpoint(output, run, import_checkpoint(file, run, recipe, changes))
        return
    result = import_run(file, run, time_steps, dt, calibrate, preset, weight_bits, readout)
    output.say(
        f"{file}: {counted(result['populations'], 'population')}, "
        f"{counted(result['neurons'], 'neuron')}, input "
        f"{result['input_shape']}, T = {result['time_steps']}; wrote {result['path']}"
    )
    if "layers" in result:
        _show(output, result)
    for warning in result["warnings"]:
        output.say(f"warning: {warning}")
    line = Run(run).line("verify", "--inputs", "FILE.npy")
    output.say(f"what survives where, on your data (with --labels, also how accurate): {line}")
    output.result(result)


def _say_checkpoint(output: Output, run: Path, result: dict[str, Any]) -> None:
    output.say(
        f"{result['recipe']}: {result['parameters']:,} parameters, input {result['input_shape']}, "
        f"T = {result['time_steps']}; wrote {result['path']}"
    )
    if result["free_alpha"]:
        low, high = min(result["alphas"].values()), max(result["alphas"].values())
        output.say(
            f"alpha is taken as stored, {low:g} to {high:g}; the run's recipe says "
            "neuron.free_alpha = true"
        )
    output.say(f"evaluate it on the test split: {Run(run).line('evaluate')}")
    output.result(result)


def _show(output: Output, result: dict[str, Any]) -> None:
    """Print what quantization changed."""
    samples = f"{result['samples']} {'random' if result['random_inputs'] else 'given'} samples"
    output.table(
        f"{result['preset']}, {result['weight_bits']}-bit weights"
        f"{', some in two parts, and wider states' if result['wide'] else ''}: what quantization "
        f"changed on {samples}",
        ["layer", "neurons", "state bits", "factor bits", "fires", "spikes changed", "saturated"],
        [
            [
                name,
                *(str(row[key]) for key in ("neurons", "state_bits", "factor_bits")),
                *(percent(row[key]) for key in ("rate", "changed", "saturated")),
            ]
            for name, row in result["layers"].items()
        ],
    )
    output.say(f"decisions changed: {result['decisions_changed']} of {result['samples']}")
