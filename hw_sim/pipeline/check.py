"""check_run: can this network become integers?"""

from pathlib import Path
from typing import Any

from arlif.base.errors import ArlifError
from arlif.quantize.linearized import LinearizedNetwork
from arlif.quantize.presets import read_quantizer, violations
from arlif.run_folder import Run
from hw_sim.origin.of_run import load_original
from hw_sim.pipeline.defaults import DEFAULT_BITS, DEFAULT_PRESET
from hw_sim.pipeline.parent import load_parent


def check_run(
    folder: Path, preset: str = DEFAULT_PRESET, weight_bits: int = DEFAULT_BITS
) -> dict[str, Any]:
    """Every mapping rule that a float network breaks; writes nothing.

    maps: whether it breaks none. violations: what and why. populations, projections: how many
    there will be, None where it does not map; the readout's projections are not among them.
    Raises ArlifError where the run has no float network or the preset does not exist.
    """
    linear, found = _violations(folder, preset, weight_bits)
    populations = None if linear is None else linear.populations
    return {
        "maps": linear is not None,
        "violations": list(found),
        "populations": None if populations is None else len(populations),
        "projections": None
        if populations is None
        else sum(len(population.current.terms) for population in populations),
    }


def _violations(
    folder: Path, preset: str, weight_bits: int
) -> tuple[LinearizedNetwork | None, tuple[str, ...]]:
    read_quantizer(preset, weight_bits)  # what is wrong with them is no violation
    if not Run(folder).imported:
        original = load_original(folder)
        return violations(
            original.module, original.input_shape, preset, weight_bits, original.time_steps
        )
    parent = load_parent(folder)
    try:
        parent.fit(preset, weight_bits)
    except ArlifError as error:
        return None, (str(error),)
    return parent.linear, ()
