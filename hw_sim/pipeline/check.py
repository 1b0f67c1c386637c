"""check_run: can this network become integers?"""

from pathlib import Path
from typing import Any

from arlif.quantize.presets import violations
from arlif.training import load_trained
from hw_sim.pipeline.defaults import DEFAULT_BITS, DEFAULT_PRESET


def check_run(
    folder: Path, preset: str = DEFAULT_PRESET, weight_bits: int = DEFAULT_BITS
) -> dict[str, Any]:
    """Every mapping rule that a trained network breaks; writes nothing.

    maps: whether it breaks none. violations: what and why. populations, projections: how many
    there will be, None where it does not map; the readout's projections are not among them.
    Raises ArlifError where the run is not trained or the preset does not exist.
    """
    module, recipe = load_trained(folder)
    linear, found = violations(
        module, recipe.network().input_shape, preset, weight_bits, recipe.time_steps
    )
    populations = None if linear is None else linear.populations
    return {
        "maps": linear is not None,
        "violations": list(found),
        "populations": None if populations is None else len(populations),
        "projections": None
        if populations is None
        else sum(len(population.current.terms) for population in populations),
    }
