"""vectors_run: golden vectors and the memory map of a run, for a hardware team."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from arlif.artifacts import NIR, VECTORS
from arlif.base.errors import require
from arlif.base.lock import only_writer
from arlif.core.network import INPUT, QuantizedNetwork
from arlif.data.own import OwnData
from arlif.run_folder import Run, writes
from export.golden import Golden, golden, golden_of
from export.nir import read_nir
from export.vectors import write_vectors
from export.vectors.layouts import layouts
from hw_sim.pipeline.defaults import VECTOR_SAMPLES


@writes("vectors")
def vectors_run(
    folder: Path,
    samples: int = VECTOR_SAMPLES,
    out: Path | None = None,
    own: OwnData | None = None,
) -> dict[str, Any]:
    """Write golden vectors and the memory map into vectors/ of a run; returns vectors.json.

    samples: how many inputs. out: another folder. own: the first samples of these, in place of
    the raw integers that the self-tests of c/ and verilog/ run on.
    Raises ArlifError where network.nir is missing, damaged or older than the model, or where it
    would be too much to write.
    """
    require(samples >= 1, f"vectors are of at least 1 sample, not {samples}")
    run = Run(folder)
    network = read_nir(run.require(NIR))
    layouts(network, samples)  # refuses what is too much before it is computed
    place = run.path(VECTORS).parent if out is None else out
    made = golden(network, samples) if own is None else _on_own(network, own, samples)
    with nullcontext() if out is None else only_writer(place, "vectors"):
        written = write_vectors(network, made, place)
    if out is None:
        run.record(VECTORS, beside=(f"{Path(VECTORS.name).parent}/{INPUT}.npy",))
    return {"folder": str(place), **written}


def _on_own(network: QuantizedNetwork, own: OwnData, samples: int) -> Golden:
    source = network.input
    real = own.load(source.shape, 1 if source.static else network.time_steps, samples).real
    return golden_of(network, source.encode(real[0] if source.static else real))
