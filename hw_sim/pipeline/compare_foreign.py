"""compare_foreign_run: somebody else's implementation, by what it left behind, with a run's."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.artifacts import NIR, VECTORS
from arlif.base.errors import FormatError, require
from arlif.base.files import read_json
from arlif.core.equality import fingerprint
from arlif.core.network import INPUT, QuantizedNetwork
from arlif.run_folder import Run
from export.golden import golden_of
from export.nir import read_nir
from export.vectors.foreign_traces import read_foreign, read_one
from export.vectors.layouts import layouts, values_of
from export.vectors.vectors_folder import MANIFEST
from hw_sim.comparison.foreign import compare_foreign


def compare_foreign_run(folder: Path, foreign: Path, vectors: Path | None = None) -> dict[str, Any]:
    """Compare arrays of another implementation with the specification; writes nothing.

    foreign: .npz or a folder, in the layout of vectors/ (docs/formats.md), as many arrays as there
    are, of the first samples. vectors: the folder whose input it was given; default vectors/ of
    the run. Raises ArlifError where one of them is missing, damaged, or of another network.
    """
    run = Run(folder)
    network = read_nir(run.require(NIR))
    if vectors is None:
        vectors = run.require(VECTORS).parent
    inputs = _inputs(network, vectors, run.line("vectors"))
    axis = network.input.sample_axis
    got = read_foreign(foreign, layouts(network, inputs.shape[axis]))
    name, array = next(iter(got.items()))
    known = layouts(network, 1)[name]
    samples = array.shape[known.axes.index("N")]
    inputs = network.input.part(inputs, slice(samples))
    found = compare_foreign(network, values_of(network, golden_of(network, inputs)), got)
    return {
        "foreign": str(foreign),
        "equal": found.first is None,
        "samples": samples,
        "arrays": [asdict(row) for row in found.arrays],
        "not_given": list(found.missing),
        "first": asdict(found.first) if found.first else None,
        "message": str(found.first) if found.first else "",
    }


def _inputs(network: QuantizedNetwork, vectors: Path, cure: str) -> NDArray[np.int8]:
    """The raw input of a folder of vectors. Raises FormatError where it is of another network."""
    path = vectors / MANIFEST
    try:
        content = read_json(path)
        about, samples = content["network"], content["samples"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise FormatError(f"cannot read {path} ({error}); write it with: {cure}") from None
    require(
        about == fingerprint(network),
        f"{path} is of another network than the run; write it again with: {cure}",
        FormatError,
    )
    require(
        isinstance(samples, int) and samples >= 1,
        f"{path} says {samples!r} samples; write it again with: {cure}",
        FormatError,
    )
    layout = layouts(network, samples)[INPUT]
    found = read_one(vectors, INPUT, layout)
    require(
        found.shape == layout.shape and layout.low <= found.min() and found.max() <= layout.high,
        f"the input beside {path} is not what was written; write it again with: {cure}",
        FormatError,
    )
    return found.astype(np.int8)
