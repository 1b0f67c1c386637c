"""arlif resources: what a network takes of an FPGA, and whether it fits."""

from typing import Annotated

import typer

from hw_sim.cli.exits import ExitCode
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.pipeline.defaults import DEFAULT_TARGETS


def resources(
    run: RunArgument,
    target: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A device, as ice40-hx8k; again for more. Default {DEFAULT_TARGETS[0]}."
        ),
    ] = None,
    place: Annotated[
        bool, typer.Option("--place", help="Also place and route, for the clock.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Count what the exported Verilog takes; exits with 1 where it does not fit."""
    from hw_sim.pipeline import resources_run

    output = Output(as_json)
    with output.progress("synthesizing"):
        result = resources_run(run, target or DEFAULT_TARGETS, place)
    names = list(result["targets"][0]["used"])
    output.table(
        "Used of available, as yosys counts cells",
        ["target", *names, "MHz", "fits"],
        [
            [
                row["target"],
                *(f"{row['used'][name]:,} / {row['available'][name]:,}" for name in names),
                f"{row['mhz']:.1f}" if row["mhz"] else "",
                "yes" if row["fits"] else "no",
            ]
            for row in result["targets"]
        ],
    )
    for row in result["targets"]:
        if row["cure"]:
            output.say(f"{row['target']}: {row['cure']}")
    output.result(result)
    if not result["fits"]:
        raise typer.Exit(ExitCode.FOUND)
