"""arlif import: a network from another tool, or of your own code, becomes a run."""

from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.base.numerals import percent
from arlif.run_folder import Run
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import ChosenBitsOption, ChosenPresetOption


def import_network(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A .nir or .net file, or FILE.py:FUNCTION that returns a torch module.",
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
    as_json: JsonOption = False,
) -> None:
    """Import a NIR graph, a .net file or a torch module of yours; writes network.nir."""
    from hw_sim.pipeline import import_run

    output = Output(as_json)
    result = import_run(file, run, time_steps, dt, calibrate, preset, weight_bits)
    output.say(
        f"{file}: {result['populations']} populations, {result['neurons']} neurons, input "
        f"{result['input_shape']}, T = {result['time_steps']}; wrote {result['path']}"
    )
    if "layers" in result:
        _show(output, result)
    for warning in result["warnings"]:
        output.say(f"warning: {warning}")
    output.say(f"simulate it on your data: {Run(run).line('simulate', '--inputs', 'FILE.npy')}")
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
