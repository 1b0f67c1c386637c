"""What the engines of a run left, read together: of the same layers, steps and neurons."""

from collections.abc import Sequence
from typing import Any

from arlif.base.errors import FormatError, require
from arlif.run_folder import Run
from hw_sim.engines.simulation import Simulation
from hw_sim.engines.table import ENGINES, Engine
from hw_sim.engines.traces import read_traces
from hw_sim.pipeline.simulate import read_figures


def simulated(run: Run) -> list[Engine]:
    """The engines whose simulations are current."""
    return [engine for engine in ENGINES.values() if run.is_fresh(engine.figures)]


def read_all_figures(run: Run, engines: Sequence[Engine]) -> list[dict[str, Any]]:
    """What simulate_run wrote beside the traces of each.

    Raises ArlifError where one is missing or damaged, or where they are of different layers.
    """
    found = [read_figures(run, engine) for engine in engines]
    layers = [row["spike_rate"].keys() for row in found]
    for engine, own in zip(engines, layers, strict=True):
        first = engines[0]
        require(
            own == layers[0],
            f"{run.path(engine.figures)} is of the layers {', '.join(own)}, "
            f"{run.path(first.figures)} of {', '.join(layers[0])}; {_again(run, first, engine)}",
            FormatError,
        )
    return found


def read_all_traces(run: Run, engines: Sequence[Engine]) -> list[Simulation]:
    """The traces of each.

    Raises ArlifError where some are missing, old or damaged, or where a layer has other steps or
    neurons in one file than in another.
    """
    found = [read_traces(run.require(engine.traces)) for engine in engines]
    known: dict[str, tuple[tuple[int, ...], Engine]] = {}
    for engine, simulation in zip(engines, found, strict=True):
        for layer, trace in simulation.traces.items():
            steps, _, *neurons = trace.spikes.shape
            shape, first = known.setdefault(layer, ((steps, *neurons), engine))
            require(
                shape == (steps, *neurons),
                f"layer {layer} has other steps or neurons in {run.path(engine.traces)} than in "
                f"{run.path(first.traces)}; {_again(run, first, engine)}",
                FormatError,
            )
    return found


def _again(run: Run, first: Engine, engine: Engine) -> str:
    return f"write both again with: {run.command(first.traces)} and {run.command(engine.traces)}"
