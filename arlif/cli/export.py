"""arlif export: from network.nir to the formats of other tools."""

from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.cli.output import JsonOption, Output, RunArgument


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
    output = Output(as_json)
    result = run_export(run, with_float, lif)
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


def run_export(folder: Path, with_float: bool = False, lif: bool = False) -> dict[str, Any]:
    """Write every exported file of a run; returns their paths and sizes."""
    from arlif.run import FLOAT_ONNX, LIF_NIR, MODEL, NET, NIR, ONNX, Run
    from arlif.training import load_trained
    from export.lava import stock_obstacles, write_net
    from export.nir import read_nir, write_nir_lif
    from export.onnx import write_onnx, write_onnx_float

    run = Run(folder)
    network = read_nir(run.require(NIR))
    write_net(network, run.path(NET))
    write_onnx(network, run.path(ONNX))
    paths = [run.path(artifact) for artifact in (NET, ONNX)]
    if with_float or lif:
        run.require(MODEL)
        module, recipe = load_trained(folder)
        shape = recipe.network().input_shape
        if with_float:
            write_onnx_float(module, run.path(FLOAT_ONNX), shape)
            paths.append(run.path(FLOAT_ONNX))
        if lif:
            write_nir_lif(module, run.path(LIF_NIR), shape)
            paths.append(run.path(LIF_NIR))
    return {
        "files": [{"path": str(path), "bytes": path.stat().st_size} for path in paths],
        "stock_obstacles": list(stock_obstacles(network)),
    }
