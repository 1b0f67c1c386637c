"""arlif export: from network.nir to the formats of other tools."""

from typing import Any

from export.file_formats import FORMATS
from hw_sim.cli.flags import format_flags, with_flags
from hw_sim.cli.output import JsonOption, Output, RunArgument


@with_flags(format_flags(), before="as_json")
def export(run: RunArgument, given: dict[str, Any], as_json: JsonOption = False) -> None:
    """Export the quantized network; writes network.net (Lava) and network.onnx."""
    from hw_sim.pipeline import export_run

    output = Output(as_json)
    also = tuple(name for name in given if name in FORMATS)
    options = {name: value for name, value in given.items() if name not in FORMATS}
    result = export_run(run, also, options)
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
