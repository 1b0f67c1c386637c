"""calibrate_run: which number formats does this network need?"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from arlif.data.own import OwnData
from arlif.quantize.presets import spell
from hw_sim.comparison.calibration import narrowest, reports_on
from hw_sim.pipeline.defaults import CHECKED_SAMPLES, DEFAULT_BITS
from hw_sim.pipeline.parent import load_parent


def calibrate_run(
    folder: Path,
    weight_bits: int = DEFAULT_BITS,
    samples: int = CHECKED_SAMPLES,
    data_folder: Path | None = None,
    own: OwnData | None = None,
) -> dict[str, Any]:
    """Try number formats, narrowest first, on so many training `samples`; writes nothing.

    own: a user's data in their place, the first `samples`; of an imported network None is what it
    was imported with.

    formats: a hw_sim.comparison.calibration.QuantizationReport of each, as plain data. narrowest:
    the first that changes few enough decisions (within_tolerance), else that of the fewest.
    preset: its formats as quantize_run takes them.
    Raises ArlifError where the run has no float network or the network fits into no format.
    """
    parent = load_parent(folder, data_folder, own, samples)
    real = parent.calibration[:, :samples]
    reports = reports_on(
        parent.module,
        lambda precision: parent.over(parent.quantized(precision), real),
        real,
        weight_bits,
    )
    chosen = narrowest(reports)
    return {
        "formats": [asdict(report) for report in reports],
        "narrowest": asdict(chosen),
        "within_tolerance": chosen.keeps(),
        "preset": spell(chosen.precision.numbers),
    }
