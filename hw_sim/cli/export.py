"""arlif export: from network.nir to the formats of other tools."""

from typing import Any

from arlif.base.numerals import percent
from export.file_formats import FORMATS
from hw_sim.cli.flags import format_flags, with_flags
from hw_sim.cli.output import JsonOption, Output, RunArgument
from hw_sim.cli.parameters import DataOption


@with_flags(format_flags(), before="as_json")
def export(
    run: RunArgument,
    given: dict[str, Any],
    data_folder: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export the network; writes network.net (Lava), network.onnx, lif.nir (other NIR tools)."""
    from hw_sim.pipeline import export_run

    output = Output(as_json)
    also = tuple(name for name in given if name in FORMATS)
    options = {name: value for name, value in given.items() if name not in FORMATS}
    result = export_run(run, also, options, data_folder)
    for artifact in result["files"]:
        output.say(f"wrote {artifact['path']} ({artifact['bytes']:,} bytes)")
    if result["stock_obstacles"]:
        output.say(
            "network.net runs on arlif's Lava processes; stock lava-dl cannot run it: "
            + "; ".join(result["stock_obstacles"])
        )
    else:
        output.say("network.net also loads in stock lava-dl (netx) and spikes alike")
    output.say(_about_lif(result))
    output.result(result)


def _about_lif(result: dict[str, Any]) -> str:
    """What lif.nir holds, in one line."""
    if "lif_reason" in result:
        return f"no lif.nir for other NIR tools: {result['lif_reason']}"
    opens = "lif.nir opens in other NIR tools as LIF and CubaLIF (network.nir in arlif only)"
    if "lif_unmeasured" in result:
        return f"{opens}; what that changes was not measured: {result['lif_unmeasured']}"
    shares = ", ".join(f"{n}: {percent(share)}" for n, share in result["lif_changes"].items())
    return f"{opens}; spikes changed on {result['lif_samples']} samples, by layer: {shares}"
