"""export_run: from network.nir to the formats of other tools."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor

from arlif.artifacts import IMPORT, NIR, Artifact
from arlif.base.errors import ArlifError, LoweringError
from arlif.core.network import QuantizedNetwork
from arlif.run_folder import Run, writes
from export.file_formats import FORMATS, LIF_NIR, FileFormat, exported, require_options
from export.lava import stock_obstacles
from export.nir import read_nir
from hw_sim.comparison.lif_view import lif_view_changes
from hw_sim.origin.of_run import load_original
from hw_sim.origin.original import Original
from hw_sim.pipeline.defaults import VIEWED_SAMPLES
from hw_sim.pipeline.parent import load_parent
from hw_sim.pipeline.samples import load_spread


@writes("export")
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
    Raises ArlifError where network.nir is missing, damaged or older than the model, where there is
    no such format, or where an option is of none that is written.
    """
    run = Run(folder)
    rows = exported(also)
    require_options(rows, options)
    network = read_nir(run.require(NIR))
    original, reason = _original(run, any(row.flag and row.artifact.trained for row in rows))
    about: dict[str, Any] = {}
    written = []
    for row in rows:
        if row.artifact is LIF_NIR:
            about = _lif(run, original or reason, row, data_folder)
            if "lif_reason" in about:
                continue
        elif original and row.artifact.trained:
            _write_trained(run, row, original)
        else:
            _write(run, row, network, options)
        written.append(run.path(row.artifact))
    return {
        "files": [{"path": str(path), "bytes": path.stat().st_size} for path in written],
        "stock_obstacles": list(stock_obstacles(network)),
        **about,
    }


@writes("export")
def export_file(folder: Path, artifact: Artifact) -> None:
    """Write one exported file of a run, as its format does by default.

    Raises LoweringError where the format cannot say the network, ArlifError where there is none.
    """
    (row,) = (row for row in FORMATS.values() if row.artifact == artifact)
    run = Run(folder)
    if artifact.trained:
        try:
            _write_trained(run, row, load_original(folder))
        except LoweringError:
            run.path(artifact).unlink(missing_ok=True)
            raise
        return
    _write(run, row, read_nir(run.require(NIR)), {})


def _write(
    run: Run, row: FileFormat, network: QuantizedNetwork, options: Mapping[str, Any]
) -> None:
    """Write the integers, and note what was written."""
    names = row.write(network, run.path(row.artifact), *row.asked(options)) or ()
    place = Path(row.artifact.name).parent
    run.record(row.artifact, beside=[(place / name).as_posix() for name in names])


def _write_trained(run: Run, row: FileFormat, original: Original) -> None:
    """Write the float network, and note what was written."""
    row.write(original.module, run.path(row.artifact), original.input_shape)
    run.record(row.artifact)


def _original(run: Run, needed: bool) -> tuple[Original | None, str]:
    """The float network of a run; where an imported one cannot be had, and need not, why."""
    if not needed and run.imported and not run.has(IMPORT):
        return None, "it holds a float network, and this run has integers only"
    try:
        return load_original(run.folder), ""
    except ArlifError as error:
        if needed or not run.imported:
            raise
        return None, str(error)


def _lif(
    run: Run, original: Original | str, row: FileFormat, data_folder: Path | None
) -> dict[str, Any]:
    """Write lif.nir where plain LIF can say the network, and measure what it changes."""
    path = run.path(LIF_NIR)
    if isinstance(original, str):
        path.unlink(missing_ok=True)
        return {"lif_reason": original}
    try:
        _write_trained(run, row, original)
    except LoweringError as error:
        path.unlink(missing_ok=True)
        return {"lif_reason": str(error)}
    try:
        real = _viewed(run, original, data_folder)
    except ArlifError as error:
        return {"lif_unmeasured": str(error)}
    changes = lif_view_changes(original.module, path, real, original.time_steps)
    return {"lif_changes": changes, "lif_samples": real.shape[1]}


def _viewed(run: Run, original: Original, data_folder: Path | None) -> Tensor:
    """Test samples; of an imported network what it was imported with."""
    if original.recipe:
        return load_spread(original.recipe, data_folder, VIEWED_SAMPLES).real
    return load_parent(run.folder).some(VIEWED_SAMPLES).real
