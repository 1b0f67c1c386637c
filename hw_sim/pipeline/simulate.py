"""simulate_run: what is shipped, on an engine."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from arlif.base.errors import require
from arlif.run_folder import Engine, Run, outcome, traces
from hw_sim.energy.sensors import measured
from hw_sim.engines.options import LAVA_SAMPLES, TRACED_SAMPLES, EngineOptions
from hw_sim.engines.table import ENGINES, Progress, Work
from hw_sim.engines.traces import write_traces
from hw_sim.pipeline.source import Source


def simulate_run(
    folder: Path,
    engine: Engine = Engine.INTEGER,
    source: Source = Source(),
    traced: int = TRACED_SAMPLES,
    options: EngineOptions = EngineOptions(),
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Simulate a run on one engine; writes traces/ENGINE.h5 and ENGINE.json, returns the latter.

    source: which samples; Lava takes 32 where it sets no limit. traced: of how many of the first
    samples spikes and states are kept. progress: called with (samples done, samples).
    Raises ArlifError where a file is missing, damaged or older than what it is made from, or where
    options are for another engine.
    """
    options.require_for(engine)
    run = Run(folder)
    path = run.require_fresh(engine.reads)
    if engine is Engine.LAVA and source.limit is None:
        source = replace(source, limit=LAVA_SAMPLES)
    test, time_steps = source.load(run)
    count = len(test)
    work = Work(path, test.real, time_steps, min(traced, count), options, progress)
    with measured() as sensors:
        done = ENGINES[engine](work)
    simulation = done.simulation
    confusion = None if test.labels is None else simulation.confusion(test.labels)
    write_traces(simulation, run.path(traces(engine)))
    result = {
        "engine": str(engine),
        "network": done.network,
        "source": source.to_json(),
        "inputs": test.digests(simulation.recorded),
        "all_inputs": test.digest(),
        "clipped": done.clipped,
        "samples": count,
        "accuracy": None if confusion is None else float(confusion.trace() / count),
        "confusion": None if confusion is None else confusion.tolist(),
        "spikes_per_inference": sum(int(c.sum()) for c in simulation.counts.values()) / count,
        "spike_rate": {
            name: float(c.sum() / c.size / time_steps) for name, c in simulation.counts.items()
        },
        "measured": sensors.per_inference(count),
    }
    run.write_json(outcome(engine), result)
    return result


def read_figures(run: Run, engine: Engine) -> dict[str, Any]:
    """What simulate_run wrote beside the traces. Raises ArlifError on anything else."""
    content = run.read_json(outcome(engine))
    require(
        isinstance(content, dict)
        and {"network", "source", "inputs", "all_inputs"} <= content.keys(),
        f"{run.path(outcome(engine))} was written by another version of arlif or by hand; write it "
        f"again with: {run.command(outcome(engine))}",
    )
    return content
