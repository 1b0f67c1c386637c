"""arlif simulate: runs what is shipped on an engine and keeps spikes and states."""

from typing import Annotated, Any

import typer

from arlif.base.numerals import percent
from hw_sim.cli.flags import SamplesOption, engine_flags, engine_option, with_flags
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import DataOption, InputsOption, LabelsOption
from hw_sim.engines.table import ENGINES, INTEGER, choose
from hw_sim.pipeline.defaults import TRACED_SAMPLES


@with_flags(engine_flags(), before="data_folder")
def simulate(
    run: RunArgument,
    given: dict[str, Any],
    engine: Annotated[
        str, engine_option("--engine", f"Which engine runs the network: {', '.join(ENGINES)}.")
    ] = INTEGER.name,
    samples: SamplesOption = None,
    trace: Annotated[
        int, typer.Option(min=0, help="Record spikes and states of so many first samples.")
    ] = TRACED_SAMPLES,
    data_folder: DataOption = None,
    inputs: InputsOption = None,
    labels: LabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run test samples on an engine; writes traces/ENGINE.h5 and traces/ENGINE.json."""
    from hw_sim.pipeline import Selection, simulate_run

    output = Output(as_json)
    with output.progress(f"simulating on {engine}") as update:
        options = choose(ENGINES[engine], given)
        selection = Selection(samples, data_folder, inputs, labels)
        result = simulate_run(run, engine, selection, trace, options, update)
    output.say_fewer(samples, result["samples"])
    show(output, result)
    output.result(result)


def show(output: Output, result: dict[str, Any]) -> None:
    """Print an engine's figures."""
    known = result["accuracy"] is not None
    accuracy = f"accuracy {percent(result['accuracy'])} on " if known else ""
    output.say(
        f"{result['engine']}: {accuracy}{result['samples']} samples, "
        f"{result['spikes_per_inference']:.1f} spikes per inference, "
        f"{result['measured']['seconds']:.2f} s"
    )
    if result["edited"]:
        output.say(f"warning: {result['edited']} is not as it was exported; it ran as it is now")
    if "clocks_per_inference" in result:
        output.say(f"{result['clocks_per_inference']:,.0f} clocks per inference, one at a time")
    say_clipped(output, result["clipped"])


def say_clipped(output: Output, share: float) -> None:
    """Warn of inputs that the integers cannot hold."""
    if share:
        output.say(
            f"warning: {percent(share)} of the input values lie beyond the range that the network "
            "was calibrated on and were clipped; scale them as in training"
        )
