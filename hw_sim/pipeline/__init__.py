"""The stages of a run as functions: what the command line's verbs do, without its words.

Each reads what earlier stages wrote into the run's folder, writes its own files and returns what it
found as plain values. Training comes before them (arlif.training.train) and the report behind them
(hw_sim.report.write_report).
"""

from typing import TYPE_CHECKING

from arlif.base.lazy import lazily

if TYPE_CHECKING:
    from hw_sim.pipeline.compare import compare_run
    from hw_sim.pipeline.energy import energy_run
    from hw_sim.pipeline.export import export_run
    from hw_sim.pipeline.import_file import import_run
    from hw_sim.pipeline.quantize import quantize_run
    from hw_sim.pipeline.simulate import simulate_run
    from hw_sim.pipeline.source import Source

__all__ = [
    "Source",
    "compare_run",
    "energy_run",
    "export_run",
    "import_run",
    "quantize_run",
    "simulate_run",
]

__getattr__ = lazily(
    __name__,
    {
        "Source": "hw_sim.pipeline.source",
        "compare_run": "hw_sim.pipeline.compare",
        "energy_run": "hw_sim.pipeline.energy",
        "export_run": "hw_sim.pipeline.export",
        "import_run": "hw_sim.pipeline.import_file",
        "quantize_run": "hw_sim.pipeline.quantize",
        "simulate_run": "hw_sim.pipeline.simulate",
    },
)
