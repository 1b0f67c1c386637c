"""simulate_run: what is shipped, on an engine."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from arlif.artifacts import NIR
from arlif.base.bounded import Amount, Count, Share
from arlif.base.errors import FormatError, SimulationError, require
from arlif.base.plain_data import BESIDE
from arlif.core.equality import fingerprint
from arlif.core.network import QuantizedNetwork
from arlif.run_content import checked
from arlif.run_folder import Run, writes
from export.nir import read_nir
from hw_sim.energy.sensors import measured
from hw_sim.engines.simulation import Simulation
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
    require(
        bool(np.isfinite(simulation.readout).all()),
        f"the outputs of {engine} are no finite numbers; look for inputs or weights out of all "
        "proportion",
        SimulationError,
    )
    network = read_nir(run.require(NIR)) if row.exact else None
    require(
        network is None or _fits(simulation, network, count),
        f"{path} gives other layers or classes than {NIR.name} has; write it again with: "
        f"{run.command(row.reads)}",
        FormatError,
    )
    labels = test.labels
    confusion = None if labels is None else simulation.confusion(labels).tolist()
    right = None if labels is None else simulation.decisions == labels
    write_traces(simulation, run.path(row.traces), steps_of(network) if network else {})
    result = {
        "engine": row.name,
        "network": done.network,
        "edited": row.reads.name if run.edited(row.reads) else None,
        "source": selection.to_json(),
        "inputs": test.digests,
        "all_labels": None if labels is None else fingerprint(labels),
        "clipped": done.clipped,
        "samples": count,
        "traced": simulation.recorded,
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


def _fits(simulation: Simulation, network: QuantizedNetwork, samples: int) -> bool:
    """Whether a simulation is of all neurons and classes of a network, and of so many samples."""
    neurons = {p.name: (samples, *p.shape) for p in network.populations}
    given = {name: counts.shape for name, counts in simulation.spikes.items()}
    return given == neurons and simulation.readout.shape == (samples, *network.readout.shape)


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
    found = checked(run, _Figures, content, engine.figures)
    require(
        found.engine == engine.name,
        f"{run.path(engine.figures)} is of the engine {found.engine!r}; write it again with: "
        f"{run.command(engine.figures)}",
        FormatError,
    )
    return content


@dataclass(frozen=True)
class _Measured:
    """What sensors of this machine have seen."""

    seconds: Amount
    energy_uj: dict[str, float]
    absent: dict[str, str]

    __pydantic_config__: ClassVar = BESIDE


@dataclass(frozen=True)
class _Figures:
    """What every engine's figures hold. Raises ArlifError where they contradict each other.

    clocks_per_inference: of simulated hardware alone.
    """

    engine: str
    network: str | None
    edited: str | None
    source: _Source
    inputs: tuple[str, ...]
    clipped: Share
    samples: Annotated[int, Field(ge=1)]
    traced: Count
    accuracy: Share | None
    right: str | None
    confusion: tuple[tuple[Count, ...], ...] | None
    spikes_per_inference: Amount
    spike_rate: dict[str, Share]
    measured: _Measured
    clocks_per_inference: Amount | None = None

    __pydantic_config__: ClassVar = BESIDE

    def __post_init__(self) -> None:
        require(
            self.traced <= self.samples == len(self.inputs),
            f"digests of {len(self.inputs)} inputs and traces of {self.traced} are not of "
            f"{self.samples} samples",
        )
        if self.accuracy is None or self.right is None or self.confusion is None:
            none = self.accuracy is None and self.right is None and self.confusion is None
            require(none, "of accuracy, right and confusion, all are null or none is")
            return
        correct = self.right.count("1")
        diagonal = [row[at] for at, row in enumerate(self.confusion) if at < len(row)]
        require(
            len(self.right) == self.samples == correct + self.right.count("0")
            and all(len(row) == len(self.confusion) for row in self.confusion)
            and self.samples == sum(map(sum, self.confusion))
            and correct == sum(diagonal)
            and self.accuracy == correct / self.samples,
            f"accuracy, right and confusion are not of the same {self.samples} samples",
        )
