"""The stages of a run as functions: what the command line's verbs do, without its words.

Each reads what earlier stages wrote into the run's folder, writes its own files and returns what it
found as plain values. Training comes before them (arlif.training.train) and the report behind them
(hw_sim.report.write_report).
"""

from typing import TYPE_CHECKING

from arlif.base.lazy import lazily

if TYPE_CHECKING:
    from hw_sim.pipeline.calibrate import calibrate_run
    from hw_sim.pipeline.check import check_run
    from hw_sim.pipeline.compare import compare_run
    from hw_sim.pipeline.compare_foreign import compare_foreign_run
    from hw_sim.pipeline.energy import energy_run, table3_run
    from hw_sim.pipeline.evaluate import evaluate_run
    from hw_sim.pipeline.export import export_run
    from hw_sim.pipeline.hand_over import vectors_run
    from hw_sim.pipeline.import_file import import_run
    from hw_sim.pipeline.map_cores import map_run
    from hw_sim.pipeline.neurobench import neurobench_run
    from hw_sim.pipeline.prove import prove_run
    from hw_sim.pipeline.quantize import quantize_run
    from hw_sim.pipeline.resources import resources_run
    from hw_sim.pipeline.samples import Selection
    from hw_sim.pipeline.simulate import simulate_run
    from hw_sim.pipeline.sweep import sweep_run
    from hw_sim.pipeline.verify import verify_run

__all__ = [
    "Selection",
    "calibrate_run",
    "check_run",
    "compare_foreign_run",
    "compare_run",
    "energy_run",
    "evaluate_run",
    "export_run",
    "import_run",
    "map_run",
    "neurobench_run",
    "prove_run",
    "quantize_run",
    "resources_run",
    "simulate_run",
    "sweep_run",
    "table3_run",
    "vectors_run",
    "verify_run",
]

__getattr__ = lazily(
    __name__,
    {
        "Selection": "hw_sim.pipeline.samples",
        "calibrate_run": "hw_sim.pipeline.calibrate",
        "check_run": "hw_sim.pipeline.check",
        "compare_foreign_run": "hw_sim.pipeline.compare_foreign",
        "compare_run": "hw_sim.pipeline.compare",
        "energy_run": "hw_sim.pipeline.energy",
        "evaluate_run": "hw_sim.pipeline.evaluate",
        "export_run": "hw_sim.pipeline.export",
        "import_run": "hw_sim.pipeline.import_file",
        "map_run": "hw_sim.pipeline.map_cores",
        "neurobench_run": "hw_sim.pipeline.neurobench",
        "prove_run": "hw_sim.pipeline.prove",
        "quantize_run": "hw_sim.pipeline.quantize",
        "resources_run": "hw_sim.pipeline.resources",
        "simulate_run": "hw_sim.pipeline.simulate",
        "sweep_run": "hw_sim.pipeline.sweep",
        "table3_run": "hw_sim.pipeline.energy",
        "vectors_run": "hw_sim.pipeline.hand_over",
        "verify_run": "hw_sim.pipeline.verify",
    },
)
