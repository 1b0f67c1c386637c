"""export_run: from network.nir to the formats of other tools."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from arlif.core.network import QuantizedNetwork
from arlif.run_folder import NIR, Artifact, Run
from arlif.training import load_trained
from export.file_formats import FileFormat, exported, require_options
from export.lava import stock_obstacles
from export.nir import read_nir


def export_run(
    folder: Path, also: tuple[str, ...] = (), options: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Write every exported file of a run; returns their paths and sizes.

    also: formats that are only written where they are asked for, by their names in
    export.file_formats: "float", the float network as float.onnx; "lif", plain LIF for other NIR
    tools as lif.nir. options: what their writers can be asked for, by name. What was simulated
    from an exported file stays valid where the file does not change. Raises ArlifError where network.nir is missing, damaged or older than the model, or
    where there is no such format.
    """
    run = Run(folder)
    rows = exported(also)
    require_options(rows, options)
    network = read_nir(run.require_fresh(NIR))
    trained = load_trained(folder) if any(row.artifact.trained for row in rows) else None
    for row in rows:
        if trained and row.artifact.trained:
            module, recipe = trained
            row.write(module, run.path(row.artifact), recipe.network().input_shape)
        else:
            asked = row.asked(options)
            _renew(run, row.artifact, partial(_write, row, network, asked))
    paths = [run.path(row.artifact) for row in rows]
    return {
        "files": [{"path": str(path), "bytes": path.stat().st_size} for path in paths],
        "stock_obstacles": list(stock_obstacles(network)),
    }


def _write(row: FileFormat, network: QuantizedNetwork, asked: tuple[Any, ...], path: Path) -> None:
    row.write(network, path, *asked)


def _renew(run: Run, artifact: Artifact, write: Callable[[Path], None]) -> None:
    """Write an artifact; where a current one comes out the same, it keeps its time."""
    path = run.path(artifact)
    before = (run.digest(artifact), path.stat()) if run.is_fresh(artifact) else None
    write(path)
    if before and before[0] == run.digest(artifact):
        os.utime(path, ns=(before[1].st_atime_ns, before[1].st_mtime_ns))
