"""export_run: from network.nir to the formats of other tools."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from arlif.run_folder import FLOAT_ONNX, LIF_NIR, NET, NIR, ONNX, Artifact, Run
from arlif.training import load_trained
from export.lava import stock_obstacles, write_net
from export.nir import read_nir, write_nir_lif
from export.onnx import write_onnx, write_onnx_float


def export_run(folder: Path, with_float: bool = False, lif: bool = False) -> dict[str, Any]:
    """Write every exported file of a run; returns their paths and sizes.

    with_float: also the float network, float.onnx. lif: also lif.nir, plain LIF for other tools.
    What was simulated from an exported file stays valid where the file does not change.
    Raises ArlifError where network.nir is missing, damaged or older than the model.
    """
    run = Run(folder)
    network = read_nir(run.require_fresh(NIR))
    trained = load_trained(folder) if with_float or lif else None
    _renew(run, NET, lambda path: write_net(network, path))
    _renew(run, ONNX, lambda path: write_onnx(network, path))
    artifacts = [NET, ONNX]
    if trained:
        module, shape = trained[0], trained[1].network().input_shape
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


def _renew(run: Run, artifact: Artifact, write: Callable[[Path], None]) -> None:
    """Write an artifact; where a current one comes out the same, it keeps its time."""
    path = run.path(artifact)
    before = (run.digest(artifact), path.stat()) if run.is_fresh(artifact) else None
    write(path)
    if before and before[0] == run.digest(artifact):
        os.utime(path, ns=(before[1].st_atime_ns, before[1].st_mtime_ns))
