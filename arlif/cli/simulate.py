"""arlif simulate: runs what is shipped on an engine and keeps spikes and states."""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.cli.output import JsonOption, Output, RunArgument, percent
from arlif.cli.source import Source
from arlif.errors import require
from hw_sim.lava.options import LavaOptions, Models
from hw_sim.options import Device, EngineOptions

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
    device: Annotated[Device, typer.Option(help="Integer: where to compute.")] = Device.CPU,
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds that Lava may take.")] = 600,
    lava_models: Annotated[
        Models, typer.Option(help="Lava: our exact matrix products, or its own models.")
    ] = Models.FAST,
    workers: Annotated[int, typer.Option(min=1, help="Lava: simulations side by side.")] = 1,
    data: Annotated[Path | None, typer.Option(help="Where datasets lie.")] = None,
    inputs: Annotated[
        Path | None, typer.Option(help="Your own inputs, .npy [1 or T, N, *shape].")
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="Their labels, .npy [N].")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run test samples on an engine; writes traces/ENGINE.h5 and traces/ENGINE.json."""
    require(
        device is Device.CPU or engine is EngineName.INTEGER,
        f"--device {device} needs --engine integer, not {engine}",
    )
    output = Output(as_json)
    with output.progress(f"simulating on {engine}") as update:
        source = Source(samples, data, inputs, labels)
        options = EngineOptions(LavaOptions(time_limit, lava_models, workers), device)
        result = run_simulate(run, engine, source, trace, options, update)
    show(output, result)
    output.result(result)


def show(output: Output, result: dict[str, Any]) -> None:
    """Print an engine's figures."""
    known = result["accuracy"] is not None
    accuracy = f"accuracy {percent(result['accuracy'])} on " if known else ""
    output.say(
        f"{result['engine']}: {accuracy}{result['samples']} samples, "
        f"{result['events_per_inference']:.1f} spikes per inference, "
        f"{result['measured']['seconds']:.2f} s"
    )


def run_simulate(
    folder: Path,
    engine: EngineName,
    source: Source,
    traced: int,
    options: EngineOptions,
    progress: Progress,
) -> dict[str, Any]:
    """Simulate a run on one engine; writes its traces and returns its figures."""
    from arlif.run import ENGINE_INPUT, Run, outcome, traces

    run = Run(folder)
    path = run.require(ENGINE_INPUT[engine])

    from hw_sim.energy.sensors import measured
    from hw_sim.engines import ENGINES, Work
    from hw_sim.traces import write_traces

    if engine is EngineName.LAVA and source.limit is None:
        source = replace(source, limit=LAVA_SAMPLES)
    test, time_steps = source.load(run)
    count = len(test)
    work = Work(path, test.real, time_steps, min(traced, count), options, progress)
    with measured() as sensors:
        simulation, fingerprint = ENGINES[engine](work)
    confusion = None if test.labels is None else simulation.confusion(test.labels)
    write_traces(simulation, run.path(traces(engine)))
    result = {
        "engine": str(engine),
        "network": fingerprint,
        "source": source.to_json(),
        "samples": count,
        "accuracy": None if confusion is None else float(confusion.trace() / count),
        "confusion": None if confusion is None else confusion.tolist(),
        "events_per_inference": sum(int(c.sum()) for c in simulation.counts.values()) / count,
        "spike_rate": {
            name: float(c.sum() / c.size / time_steps) for name, c in simulation.counts.items()
        },
        "measured": sensors.per_inference(count),
    }
    run.write_json(outcome(engine), result)
    return result
