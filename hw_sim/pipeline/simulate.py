"""simulate_run: what is shipped, on an engine."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from arlif.base.errors import ArlifError, FormatError
from arlif.base.plain_data import BESIDE, from_mapping
from arlif.core.equality import fingerprint
from arlif.run_folder import NIR, Run, writes
from export.nir import read_nir
from hw_sim.energy.sensors import measured
from hw_sim.engines.table import INTEGER, Engine, find_engine
from hw_sim.engines.traces import steps_of, write_traces
from hw_sim.engines.work import Progress, Work
from hw_sim.pipeline.defaults import TRACED_SAMPLES
from hw_sim.pipeline.samples import Selection


@writes("simulate")
def simulate_run(
    folder: Path,
    engine: str = INTEGER.name,
    selection: Selection = Selection(),
    traced: int = TRACED_SAMPLES,
    options: Any = None,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Simulate a run on one engine; writes traces/ENGINE.h5 and ENGINE.json, returns the latter.

    engine: a name in hw_sim.engines.table. selection: which samples; an engine may take fewer where
    it sets no limit, Lava takes 32. traced: of how many of the first samples spikes and states are
    kept. options: the engine's own, as LavaOptions(workers=2); None is its defaults. progress:
    called with (samples done, samples).
    Raises ArlifError where a file is missing, damaged or older than what it is made from, where
    there is no such engine, or where options are for another one.
    """
    row = find_engine(engine)
    chosen = row.options() if options is None else options
    run = Run(folder)
    path = run.require(row.reads)
    if selection.limit is None:
        selection = replace(selection, limit=row.samples)
    test, time_steps = selection.load(run)
    count = len(test)
    work = Work(path, test.real, time_steps, min(traced, count), chosen, progress)
    with measured() as sensors:
        done = row.run(work)
    simulation = done.simulation
    labels = test.labels
    confusion = None if labels is None else simulation.confusion(labels).tolist()
    right = None if labels is None else simulation.decisions == labels
    steps = steps_of(read_nir(run.require(NIR))) if row.exact else {}
    write_traces(simulation, run.path(row.traces), steps)
    result = {
        "engine": row.name,
        "network": done.network,
        "edited": row.reads.name if run.edited(row.reads) else None,
        "source": selection.to_json(),
        "inputs": test.digests(simulation.recorded),
        "all_inputs": test.digest(),
        "all_labels": None if labels is None else fingerprint(labels),
        "clipped": done.clipped,
        "samples": count,
        "accuracy": None if labels is None else simulation.accuracy(labels),
        "confusion": confusion,
        "right": None if right is None else "".join("01"[int(one)] for one in right),
        "spikes_per_inference": sum(int(c.sum()) for c in simulation.spikes.values()) / count,
        "spike_rate": simulation.rates(time_steps),
        "measured": sensors.per_inference(count),
        **done.figures,
    }
    run.write_json(row.figures, result)
    run.record(row.traces, row.figures)
    return result


@dataclass(frozen=True)
class _Source:
    """A Selection as plain data."""

    limit: int | None
    data_folder: str | None
    inputs: str | None
    labels: str | None

    __pydantic_config__: ClassVar = BESIDE


def read_figures(run: Run, engine: Engine) -> dict[str, Any]:
    """What simulate_run wrote beside the traces. Raises ArlifError on anything else."""
    content = run.read_object(engine.figures)
    try:
        from_mapping(_Figures, content, str(run.path(engine.figures)))
    except ArlifError as error:
        raise FormatError(
            f"{error}: it was written by another version of arlif or by hand; write it again with: "
            f"{run.command(engine.figures)}"
        ) from None
    return content


@dataclass(frozen=True)
class _Figures:
    """What every engine's figures hold, of those that are not only shown."""

    network: str | None
    edited: str | None
    source: _Source
    inputs: tuple[str, ...]
    all_inputs: str
    clipped: float
    samples: int
    accuracy: float | None
    right: str | None
    confusion: tuple[tuple[int, ...], ...] | None
    spikes_per_inference: float
    spike_rate: dict[str, float]

    __pydantic_config__: ClassVar = BESIDE
