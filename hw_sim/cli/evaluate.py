"""arlif evaluate: a network on the test split, the trained one or its integers."""

from collections.abc import Iterator
from contextlib import ExitStack
from math import prod
from pathlib import Path
from typing import Annotated, Any

import typer

from arlif.base.errors import ArlifError, require
from arlif.run_folder import NIR, Run
from hw_sim.cli.flags import engine_option
from hw_sim.cli.output import JsonOption, Output, RunArgument, measured_line, percent
from hw_sim.cli.parameters import DataOption
from hw_sim.engines.integer.device import Device
from hw_sim.engines.table import FLOAT, INTEGER


def evaluate(
    run: RunArgument,
    data_folder: DataOption = None,
    engine: Annotated[
        str, engine_option("--engine", "float: the trained network, or integer.")
    ] = FLOAT.name,
    jobs: Annotated[int, typer.Option(min=1, help="Integer: processes side by side.")] = 1,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Integer: a Dask scheduler to run on.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Integer: where to compute.")] = Device.CPU,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a network on the whole test split: accuracy, spike rates; writes nothing."""
    output = Output(as_json)
    require(
        engine in (FLOAT.name, INTEGER.name),
        f"the whole test split is for float and integer, not {engine}; some samples of it: "
        f"{Run(run).line('simulate', '--engine', engine)}",
    )
    if engine == FLOAT.name:
        require(
            jobs == 1 and dask is None and device is Device.CPU,
            "--jobs, --dask and --device need --engine integer",
        )
        _evaluate_float(output, run, data_folder)
    else:
        _evaluate_integer(output, run, data_folder, jobs, dask, device)


def _evaluate_float(output: Output, run: Path, data_folder: Path | None) -> None:
    from arlif.training import load_trained
    from arlif.training.accuracy import evaluate as evaluate_network
    from arlif.training.batches import Batches
    from hw_sim.energy.sensors import measured

    module, recipe = load_trained(run)
    dataset = recipe.load_data(data_folder)
    with measured() as sensors:
        result = evaluate_network(module, dataset.info, Batches(dataset.test, recipe.batch_size))
    energy = sensors.per_inference(len(dataset.test))
    classes = dataset.info.classes
    output.table(
        "Confusion: labels down, decisions across",
        ["", *classes],
        [
            [label, *(str(count) for count in row)]
            for label, row in zip(classes, result.confusion.tolist(), strict=True)
        ],
    )
    _show_rates(output, result.rates)
    output.say(f"accuracy {percent(result.accuracy)}, loss {result.loss:.4f}")
    output.say(measured_line(energy))
    output.result(
        {
            "accuracy": result.accuracy,
            "loss": result.loss,
            "confusion": result.confusion.tolist(),
            "classes": list(classes),
            "spike_rate": result.rates,
            "measured": energy,
        }
    )


def _evaluate_integer(
    output: Output,
    run: Path,
    data_folder: Path | None,
    jobs: int,
    dask: str | None,
    device: Device,
) -> None:
    from arlif.training import read_recipe
    from arlif.training.batches import Batches
    from export.nir import read_nir
    from hw_sim.energy.sensors import measured
    from hw_sim.engines.integer.tally import evaluate as evaluate_network
    from hw_sim.engines.simulation import raw_inputs

    network = read_nir(Run(run).require_fresh(NIR))
    recipe = read_recipe(run)
    dataset = recipe.load_data(data_folder)

    def batches() -> Iterator[tuple[Any, Any]]:
        for raw, labels in Batches(dataset.test, recipe.batch_size):
            yield raw_inputs(network, dataset.info.network_input(raw)), labels.numpy()

    total = len(dataset.test)
    with output.progress("evaluating integers") as update, _cluster(dask), measured() as sensors:
        tally = evaluate_network(
            network,
            batches(),
            recipe.time_steps,
            device,
            jobs=-1 if dask else jobs,
            progress=lambda done: update(done, total),
        )
    steps = tally.samples * recipe.time_steps
    sizes = {p.name: prod(p.shape) for p in network.populations}
    rates = {name: spikes / (steps * sizes[name]) for name, spikes in tally.spikes.items()}
    _show_rates(output, rates)
    energy = sensors.per_inference(tally.samples)
    output.say(f"accuracy {percent(tally.accuracy)} on {tally.samples} samples")
    output.say(measured_line(energy))
    output.result(
        {
            "engine": INTEGER.name,
            "accuracy": tally.accuracy,
            "samples": tally.samples,
            "correct": tally.correct,
            "spike_rate": rates,
            "measured": energy,
        }
    )


def _show_rates(output: Output, rates: dict[str, float]) -> None:
    output.table(
        "Spike rate per neuron and time step",
        ["layer", "rate"],
        [[name, percent(rate)] for name, rate in rates.items()],
    )


def _cluster(address: str | None) -> ExitStack:
    """While open, joblib runs on the Dask cluster of a scheduler; None leaves it as it is."""
    opened = ExitStack()
    if address is None:
        return opened
    import joblib

    try:
        from dask.distributed import Client

        opened.enter_context(Client(address, timeout=5))  # type: ignore[no-untyped-call]
    except ImportError:
        raise ArlifError("--dask needs dask.distributed: pip install distributed") from None
    except (OSError, ValueError) as error:
        raise ArlifError(f"no Dask scheduler answers at {address!r} ({error})") from None
    opened.enter_context(joblib.parallel_config("dask"))
    return opened
