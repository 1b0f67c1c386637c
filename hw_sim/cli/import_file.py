"""arlif import: a network from another tool, or of your own code, becomes a run."""

from pathlib import Path
from typing import Annotated

import typer

from arlif.run_folder import Run
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import PresetOption, WeightBitsOption
from hw_sim.pipeline.defaults import DEFAULT_BITS, DEFAULT_PRESET


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
        typer.Option(help="Real inputs (.npy) that set the input scale; default spikes, scale 1."),
    ] = None,
    preset: PresetOption = DEFAULT_PRESET,
    weight_bits: WeightBitsOption = DEFAULT_BITS,
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
    output.say(f"simulate it on your data: {Run(run).line('simulate', '--inputs', 'FILE.npy')}")
    output.result(result)
