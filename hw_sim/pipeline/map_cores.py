"""map_run: how many neuromorphic cores a network would need."""

from pathlib import Path
from typing import Any

from arlif.artifacts import NIR
from arlif.base.errors import require
from arlif.run_folder import Run
from export.nir import read_nir
from hw_sim.energy.cores import LIMITS, estimate_mapping
from hw_sim.pipeline.defaults import DEFAULT_CORES


def map_run(folder: Path, cores: str = DEFAULT_CORES) -> dict[str, Any]:
    """Estimate the cores of every layer and the layer that limits; writes nothing.

    cores: whose limits, see hw_sim.energy.cores.LIMITS. Raises ArlifError where network.nir is
    missing, damaged or older than the model.
    """
    require(cores in LIMITS, f"no core is called {cores!r}; there are {', '.join(LIMITS)}")
    limits = LIMITS[cores]
    mapping = estimate_mapping(read_nir(Run(folder).require(NIR)), limits)
    return {
        "limits": cores,
        "source": limits.source,
        "assumptions": list(limits.assumptions),
        "cores": mapping.cores,
        "chips": mapping.chips,
        "limiting_layer": mapping.largest.layer,
        "layers": mapping.rows(),
    }
