"""export_run: from network.nir to the formats of other tools."""

from pathlib import Path
from typing import Any

from arlif.run import FLOAT_ONNX, LIF_NIR, NET, NIR, ONNX, Run
from arlif.training import load_trained
from export.lava import stock_obstacles, write_net
from export.nir import read_nir, write_nir_lif
from export.onnx import write_onnx, write_onnx_float


def export_run(folder: Path, with_float: bool = False, lif: bool = False) -> dict[str, Any]:
    """Write every exported file of a run; returns their paths and sizes.

    with_float: also the float network, float.onnx. lif: also lif.nir, plain LIF for other tools.
    Raises ArlifError where network.nir is missing, damaged or older than the model.
    """
    run = Run(folder)
    network = read_nir(run.require_fresh(NIR))
    write_net(network, run.path(NET))
    write_onnx(network, run.path(ONNX))
    artifacts = [NET, ONNX]
    if with_float or lif:
        module, recipe = load_trained(folder)
        shape = recipe.network().input_shape
        if with_float:
            write_onnx_float(module, run.path(FLOAT_ONNX), shape)
            artifacts.append(FLOAT_ONNX)
        if lif:
            write_nir_lif(module, run.path(LIF_NIR), shape)
            artifacts.append(LIF_NIR)
    paths = [run.path(artifact) for artifact in artifacts]
    return {
        "files": [{"path": str(path), "bytes": path.stat().st_size} for path in paths],
        "stock_obstacles": list(stock_obstacles(network)),
    }
