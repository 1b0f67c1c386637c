"""export_run: from network.nir to the formats of other tools."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import nn

from arlif.base.errors import ArlifError, LoweringError
from arlif.core.network import QuantizedNetwork
from arlif.run_folder import NIR, Artifact, Run
from arlif.training import Recipe, load_trained
from export.file_formats import LIF_NIR, FileFormat, exported, require_options
from export.lava import stock_obstacles
from export.nir import read_nir
from hw_sim.comparison.lif_view import lif_view_changes
from hw_sim.pipeline.defaults import VIEWED_SAMPLES
from hw_sim.pipeline.samples import load_spread


def export_run(
    folder: Path,
    also: tuple[str, ...] = (),
    options: Mapping[str, Any] = MappingProxyType({}),
    data_folder: Path | None = None,
) -> dict[str, Any]:
    """Write every exported file of a run; returns their paths and sizes.

    also: formats that are only written where they are asked for, by their names in
    export.file_formats: "float", the float network as float.onnx. options: what their writers
    can be asked for, by name. data_folder: where the dataset lies on whose test samples lif.nir is
    compared with the network. What was simulated from an exported file stays valid where the file
    does not change.
    Returned of lif.nir: `lif_reason`, why there is none, or `lif_changes`, by layer the share of
    neuron-steps whose spike plain LIF changes, or `lif_unmeasured`, why that is not known.
    Raises ArlifError where network.nir is missing, damaged or older than the model, or
    where there is no such format.
    """
    run = Run(folder)
    rows = exported(also)
    require_options(rows, options)
    network = read_nir(run.require_fresh(NIR))
    asked_for = any(row.flag and row.artifact.trained for row in rows)
    trained = load_trained(folder) if asked_for or not run.imported else None
    about: dict[str, Any] = {}
    written = []
    for row in rows:
        if row.artifact is LIF_NIR:
            about = _lif(run, trained, row.write, data_folder)
            if "lif_reason" in about:
                continue
        elif trained and row.artifact.trained:
            module, recipe = trained
            row.write(module, run.path(row.artifact), recipe.network().input_shape)
        else:
            asked = row.asked(options)
            _renew(run, row.artifact, partial(_write, row, network, asked))
        written.append(run.path(row.artifact))
    return {
        "files": [{"path": str(path), "bytes": path.stat().st_size} for path in written],
        "stock_obstacles": list(stock_obstacles(network)),
        **about,
    }


def _lif(
    run: Run,
    trained: tuple[nn.Module, Recipe] | None,
    write: Callable[..., None],
    data_folder: Path | None,
) -> dict[str, Any]:
    """Write lif.nir where plain LIF can say the network, and measure what it changes."""
    path = run.path(LIF_NIR)
    if trained is None:
        path.unlink(missing_ok=True)
        return {"lif_reason": "it holds a float network, and this run has integers only"}
    module, recipe = trained
    try:
        write(module, path, recipe.network().input_shape)
    except LoweringError as error:
        path.unlink(missing_ok=True)
        return {"lif_reason": str(error)}
    try:
        real = load_spread(recipe, data_folder, VIEWED_SAMPLES).real
    except ArlifError as error:
        return {"lif_unmeasured": str(error)}
    changes = lif_view_changes(module, path, real, recipe.time_steps)
    return {"lif_changes": changes, "lif_samples": real.shape[1]}


def _write(row: FileFormat, network: QuantizedNetwork, asked: tuple[Any, ...], path: Path) -> None:
    row.write(network, path, *asked)


def _renew(run: Run, artifact: Artifact, write: Callable[[Path], None]) -> None:
    """Write an artifact; where a current one comes out the same, it keeps its time."""
    path = run.path(artifact)
    before = (run.digest(artifact), path.stat()) if run.is_fresh(artifact) else None
    write(path)
    if before and before[0] == run.digest(artifact):
        os.utime(path, ns=(before[1].st_atime_ns, before[1].st_mtime_ns))
