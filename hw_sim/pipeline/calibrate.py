"""calibrate_run: which number formats does this network need?"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from arlif.quantize.presets import spell
from arlif.quantize.trained import load_quantizable
from hw_sim.comparison.calibration import calibrate_numbers, narrowest
from hw_sim.pipeline.defaults import CHECKED_SAMPLES, DEFAULT_BITS


def calibrate_run(
    folder: Path,
    weight_bits: int = DEFAULT_BITS,
    samples: int = CHECKED_SAMPLES,
    data_folder: Path | None = None,
) -> dict[str, Any]:
    """Try number formats, narrowest first, on so many training `samples`; writes nothing.

    formats: a hw_sim.comparison.calibration.QuantizationReport of each, as plain data. narrowest:
    the first that changes few enough decisions (within_tolerance), else that of the fewest.
    preset: its formats as quantize_run takes them.
    Raises ArlifError where the run is not trained or the network fits into no format.
    """
    trained = load_quantizable(folder, data_folder, samples)
    reports = calibrate_numbers(
        trained.module,
        trained.linear,
        trained.source,
        trained.calibration,
        trained.recipe.time_steps,
        weight_bits,
    )
    chosen = narrowest(reports)
    return {
        "formats": [asdict(report) for report in reports],
        "narrowest": asdict(chosen),
        "within_tolerance": chosen.keeps(),
        "preset": spell(chosen.precision.numbers),
    }
