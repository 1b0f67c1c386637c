"""arlif simulate: runs what is shipped on an engine and keeps spikes and states."""

import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.cli.output import JsonOption, Output, RunArgument, percent

Progress = Callable[[int, int], None]


class EngineName(StrEnum):
    """What can run a network, and what it reads: model.pt, .nir, .net, .onnx."""

    FLOAT = "float"
    INTEGER = "integer"
    LAVA = "lava"
    ONNX = "onnx"


LAVA_SAMPLES = 32
TRACED_SAMPLES = 32


def simulate(
    run: RunArgument,
    engine: Annotated[EngineName, typer.Option(help="Which engine runs the network.")] = (
        EngineName.INTEGER
    ),
    samples: Annotated[
        int | None, typer.Option(min=1, help="Test samples; default all, on Lava 32.")
    ] = None,
    trace: Annotated[
        int, typer.Option(min=0, help="Record spikes and states of the first samples.")
    ] = TRACED_SAMPLES,
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds that Lava may take.")] = 600,
    data: Annotated[Path | None, typer.Option(help="Where datasets lie.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run test samples on an engine; writes traces/ENGINE.h5 and traces/ENGINE.json."""
    output = Output(as_json)
    with output.progress(f"simulating on {engine}") as update:
        result = run_simulate(run, engine, samples, trace, time_limit, data, update)
    show(output, result)
    output.result(result)


def show(output: Output, result: dict[str, Any]) -> None:
    """Print an engine's figures."""
    output.say(
        f"{result['engine']}: accuracy {percent(result['accuracy'])} on {result['samples']} test "
        f"samples, {result['events_per_inference']:.1f} spikes per inference, "
        f"{result['seconds']:.2f} s"
    )


def run_simulate(
    folder: Path,
    engine: EngineName,
    samples: int | None,
    traced: int,
    time_limit: float,
    data: Path | None,
    progress: Progress,
) -> dict[str, Any]:
    """Simulate a run on one engine; writes its traces and returns its figures."""
    from arlif.cli.samples import load_samples
    from arlif.run import MODEL, Run, outcome, traces
    from arlif.training import read_recipe
    from hw_sim.traces import write_traces

    run = Run(folder)
    run.require(MODEL)
    recipe = read_recipe(folder)
    if engine is EngineName.LAVA:
        samples = LAVA_SAMPLES if samples is None else samples
    test = load_samples(recipe, data, "test", samples)
    start = time.perf_counter()
    simulation, network = _ENGINES[engine](
        run, test.real, min(traced, len(test.labels)), time_limit, progress
    )
    seconds = time.perf_counter() - start
    write_traces(simulation, run.path(traces(engine)))
    count = len(test.labels)
    result = {
        "engine": str(engine),
        "network": network,
        "samples": count,
        "accuracy": float((simulation.decisions == test.labels).mean()),
        "events_per_inference": sum(int(c.sum()) for c in simulation.counts.values()) / count,
        "spike_rate": {
            name: float(c.sum() / c.size / recipe.time_steps)
            for name, c in simulation.counts.items()
        },
        "seconds": seconds,
    }
    run.write_json(outcome(engine), result)
    return result


def _float(run: Any, real: Any, traced: int, time_limit: float, progress: Progress) -> Any:
    from arlif.training import load_trained
    from hw_sim.float_engine import simulate_float

    module, _ = load_trained(run.folder)
    return simulate_float(module, real, traced), None


def _integer(run: Any, real: Any, traced: int, time_limit: float, progress: Progress) -> Any:
    from arlif.core.equality import fingerprint
    from arlif.run import NIR
    from export.nir import read_nir
    from hw_sim.agreement import raw_inputs
    from hw_sim.batches import in_batches
    from hw_sim.engine.reference import simulate as simulate_integer
    from hw_sim.simulation import Record

    network = read_nir(run.require(NIR))
    simulation = in_batches(
        lambda part, record: simulate_integer(network, part, network.time_steps, record),
        raw_inputs(network, real),
        network.input.static,
        Record.everything(network),
        traced,
        progress,
    )
    return simulation, fingerprint(network)


def _lava(run: Any, real: Any, traced: int, time_limit: float, progress: Progress) -> Any:
    from arlif.core.equality import fingerprint
    from arlif.run import NET
    from export.lava import read_net
    from hw_sim.agreement import raw_inputs
    from hw_sim.lava import simulate as simulate_lava
    from hw_sim.simulation import Record

    network = read_net(run.require(NET))
    simulation = simulate_lava(
        network,
        raw_inputs(network, real),
        network.time_steps,
        Record.everything(network) if traced else Record(),
        time_limit_s=time_limit,
        progress=progress,
    )
    return simulation, fingerprint(network)


def _onnx(run: Any, real: Any, traced: int, time_limit: float, progress: Progress) -> Any:
    from arlif.run import ONNX
    from arlif.training import read_recipe
    from hw_sim.agreement import raw_inputs
    from hw_sim.batches import in_batches
    from hw_sim.onnx_engine import open_graph

    graph = open_graph(run.require(ONNX))
    time_steps = read_recipe(run.folder).time_steps
    simulation = in_batches(
        lambda part, record: graph.simulate(part, time_steps, record),
        raw_inputs(graph, real),
        graph.input.static,
        graph.everything,
        traced,
        progress,
    )
    return simulation, None


_ENGINES: dict[EngineName, Callable[..., Any]] = {
    EngineName.FLOAT: _float,
    EngineName.INTEGER: _integer,
    EngineName.LAVA: _lava,
    EngineName.ONNX: _onnx,
}
