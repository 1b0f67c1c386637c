"""arlif vectors: golden vectors and a memory map for a hardware team, whatever its tools are."""

from pathlib import Path
from typing import Annotated

import typer

from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import InputsOption, own_data
from hw_sim.pipeline.defaults import VECTOR_SAMPLES


def vectors(
    run: RunArgument,
    samples: Annotated[int, typer.Option(min=1, help="How many inputs.")] = VECTOR_SAMPLES,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write; default vectors/ in RUN.")
    ] = None,
    inputs: InputsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write golden vectors and the memory map (.npy, .hex, JSON) for other implementations."""
    from hw_sim.pipeline import vectors_run

    output = Output(as_json)
    with output.progress("computing"):
        result = vectors_run(run, samples, out, own_data(inputs, None))
    output.say(
        f"wrote {result['folder']}: {len(result['arrays'])} arrays of {result['samples']} samples "
        f"over {result['time_steps']} steps, and the memory map, memory/memory.json"
    )
    output.say(f"check what others make of them: arlif compare {run} --foreign TRACES.npz")
    output.result(result)
