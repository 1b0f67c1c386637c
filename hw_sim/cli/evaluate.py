"""arlif evaluate: a network on a test split or own data, in float or in integers."""

from typing import Annotated, Any

import typer

from arlif.base.numerals import percent
from hw_sim.cli.flags import engine_option
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import DataOption, InputsOption, LabelsOption, own_data
from hw_sim.engines.integer.integer_options import Device
from hw_sim.engines.table import FLOAT


def evaluate(
    run: RunArgument,
    data_folder: DataOption = None,
    engine: Annotated[
        str, engine_option("--engine", "float: the network before quantization, or integer.")
    ] = FLOAT.name,
    jobs: Annotated[int, typer.Option(min=1, help="Integer: processes side by side.")] = 1,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Integer: a Dask scheduler to run on.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Integer: where to compute.")] = Device.CPU,
    inputs: InputsOption = None,
    labels: LabelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a network on the whole test split, or on your own data; writes nothing."""
    from hw_sim.pipeline import evaluate_run

    output = Output(as_json)
    own = own_data(inputs, labels, data_folder)
    with output.progress(f"evaluating on {engine}") as update:
        result = evaluate_run(run, engine, data_folder, jobs, dask, device, update, own)
    show(output, result)
    output.result(result)


def show(output: Output, result: dict[str, Any]) -> None:
    """Print decisions by class where they are known, spike rates and accuracy."""
    if "confusion" in result:
        classes = result["classes"]
        output.table(
            "Confusion: labels down, decisions across",
            ["", *classes],
            [
                [label, *map(str, row)]
                for label, row in zip(classes, result["confusion"], strict=True)
            ],
        )
    output.table(
        "Spike rate per neuron and time step",
        ["layer", "rate"],
        [[name, percent(rate)] for name, rate in result["spike_rate"].items()],
    )
    ending = f", loss {result['loss']:.4f}" if "loss" in result else ""
    samples = f" on {result['samples']} samples" if "samples" in result else ""
    output.say(f"accuracy {percent(result['accuracy'])}{samples}{ending}")
    output.say(_measured(result["measured"]))


def _measured(measured: dict[str, Any]) -> str:
    """What the energy sensors of this machine saw, and which are absent (hw_sim.energy.sensors)."""
    energy = [f"{name} {uj:,.1f} uJ" for name, uj in measured["energy_uj"].items()]
    absent = [f"{name} absent ({reason})" for name, reason in measured["absent"].items()]
    return f"measured per inference: {', '.join(energy + absent)}"
