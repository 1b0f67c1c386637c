"""What the engines of a run left, read together: of the same layers, steps and neurons."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from arlif.base.errors import FormatError, require
from arlif.run_folder import Run
from hw_sim.engines.simulation import Simulation
from hw_sim.engines.table import ENGINES, Engine
from hw_sim.engines.traces import read_traces
from hw_sim.pipeline.simulate import read_figures


def simulated(run: Run) -> list[Engine]:
    """The engines whose simulations are current."""
    return [engine for engine in ENGINES.values() if run.is_fresh(engine.figures)]


def read_simulations(
    run: Run, engines: Sequence[Engine]
) -> tuple[list[dict[str, Any]], list[Simulation]]:
    """What simulate_run wrote of each engine: the figures, and the traces that they are of.

    Raises ArlifError where some are missing, old or damaged, where figures and traces are not of
    one simulation, or where one engine's have other layers, steps or neurons than another's.
    """
    figures = _figures(run, engines)
    return figures, _traces(run, engines, figures)


def _figures(run: Run, engines: Sequence[Engine]) -> list[dict[str, Any]]:
    found = [read_figures(run, engine) for engine in engines]
    rates: list[dict[str, float]] = [row["spike_rate"] for row in found]
    for engine, own in zip(engines, rates, strict=True):
        first = engines[0]
        other = own.keys() ^ rates[0].keys()
        # Integrators that the readout reads are no layer of real numbers; they never fire.
        unread = not (engine.exact and first.exact) and not any((rates[0] | own)[n] for n in other)
        require(
            not other or unread,
            f"{run.path(engine.figures)} is of the layers {', '.join(own)}, "
            f"{run.path(first.figures)} of {', '.join(rates[0])}; {_again(run, first, engine)}",
            FormatError,
        )
    return found


def _traces(run: Run, engines: Sequence[Engine], figures: list[dict[str, Any]]) -> list[Simulation]:
    found = [read_traces(run.require(engine.traces)) for engine in engines]
    for engine, of_it, simulation in zip(engines, figures, found, strict=True):
        require(
            _are_of(of_it, simulation),
            f"{run.path(engine.traces)} and {run.path(engine.figures)} are not of one simulation; "
            f"write both again with: {run.command(engine.traces)}",
            FormatError,
        )
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


def _are_of(figures: dict[str, Any], simulation: Simulation) -> bool:
    """Whether the figures of an engine are those of a simulation."""
    samples, classes = simulation.readout.shape
    spikes = sum(int(counts.sum()) for counts in simulation.spikes.values())
    steps = {len(trace.spikes) for trace in simulation.traces.values()}
    decided = np.bincount(simulation.decisions, minlength=classes).tolist()
    confused = [sum(column) for column in zip(*figures["confusion"] or (), strict=True)]
    return (
        figures["samples"] == samples
        and figures["spikes_per_inference"] == spikes / samples
        and figures["spike_rate"].keys() == simulation.spikes.keys()
        and all(figures["spike_rate"] == simulation.rates(number) for number in steps)
        and figures["traced"] == simulation.recorded
        and (figures["confusion"] is None or confused == decided)
    )


def _again(run: Run, first: Engine, engine: Engine) -> str:
    return f"write both again with: {run.command(first.traces)} and {run.command(engine.traces)}"
