"""arlif export: from network.nir to the formats of other tools."""

from typing import Annotated

import typer

from hw_sim.cli.output import JsonOption, Output, RunArgument


def export(
    run: RunArgument,
    with_float: Annotated[
        bool, typer.Option("--float", help="Also the float network, float.onnx.")
    ] = False,
    lif: Annotated[
        bool, typer.Option("--lif", help="Also plain LIF for other NIR tools, lif.nir.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Export the quantized network; writes network.net (Lava) and network.onnx."""
    from hw_sim.pipeline import export_run

    output = Output(as_json)
    result = export_run(run, with_float, lif)
    for artifact in result["files"]:
        output.say(f"wrote {artifact['path']} ({artifact['bytes']:,} bytes)")
    if result["stock_obstacles"]:
        output.say(
            "network.net runs on arlif's Lava processes; stock lava-dl cannot run it: "
            + "; ".join(result["stock_obstacles"])
        )
    else:
        output.say("network.net also loads in stock lava-dl (netx) and spikes alike")
    output.result(result)
