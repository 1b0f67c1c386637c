"""evaluate_run: a network on the whole test split, the trained one or its integers."""

from collections.abc import Iterator
from contextlib import ExitStack
from math import prod
from pathlib import Path
from typing import Any

from arlif.base.errors import ArlifError, require
from arlif.data import Dataset
from arlif.run_folder import NIR, Run
from arlif.training import load_trained, read_recipe
from arlif.training.accuracy import evaluate
from arlif.training.batches import Batches
from export.nir import read_nir
from hw_sim.energy.sensors import measured
from hw_sim.engines.integer import tally
from hw_sim.engines.integer.integer_options import Device
from hw_sim.engines.simulation import TakesInput, raw_inputs
from hw_sim.engines.table import FLOAT, INTEGER, find_engine
from hw_sim.engines.work import Progress


def evaluate_run(
    folder: Path,
    engine: str = FLOAT.name,
    data_folder: Path | None = None,
    jobs: int = 1,
    dask: str | None = None,
    device: Device = Device.CPU,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Evaluate a run on its whole test split: accuracy, spike rates; writes nothing.

    engine: float or integer; of the latter only, jobs: processes side by side, dask: the address of
    a scheduler whose cluster computes, device, and progress, called with (samples done, samples).
    Raises ArlifError where a file is missing, damaged or older than what it is made from, where no
    scheduler answers, or where options are for another engine.
    """
    row = find_engine(engine)
    require(
        row in (FLOAT, INTEGER),
        f"the whole test split is for float and integer, not {engine}; some samples of it: "
        f"{Run(folder).line('simulate', '--engine', engine)}",
    )
    if row is INTEGER:
        return _integer(folder, data_folder, jobs, dask, device, progress)
    require(
        jobs == 1 and dask is None and device is Device.CPU,
        "--jobs, --dask and --device need --engine integer",
    )
    return _float(folder, data_folder)


def _float(folder: Path, data_folder: Path | None) -> dict[str, Any]:
    module, recipe = load_trained(folder)
    dataset = recipe.load_data(data_folder)
    with measured() as sensors:
        result = evaluate(module, dataset.info, Batches(dataset.test, recipe.batch_size))
    return {
        "accuracy": result.accuracy,
        "loss": result.loss,
        "confusion": result.confusion.tolist(),
        "classes": list(dataset.info.classes),
        "spike_rate": result.rates,
        "measured": sensors.per_inference(len(dataset.test)),
    }


def _integer(
    folder: Path,
    data_folder: Path | None,
    jobs: int,
    dask: str | None,
    device: Device,
    progress: Progress,
) -> dict[str, Any]:
    network = read_nir(Run(folder).require_fresh(NIR))
    recipe = read_recipe(folder)
    dataset = recipe.load_data(data_folder)
    total = len(dataset.test)
    with _cluster(dask), measured() as sensors:
        found = tally.evaluate(
            network,
            _batches(network, dataset, recipe.batch_size),
            recipe.time_steps,
            device,
            jobs=-1 if dask else jobs,
            progress=lambda done: progress(done, total),
        )
    steps = found.samples * recipe.time_steps
    sizes = {p.name: prod(p.shape) for p in network.populations}
    return {
        "engine": INTEGER.name,
        "accuracy": found.accuracy,
        "samples": found.samples,
        "correct": found.correct,
        "spike_rate": {n: spikes / (steps * sizes[n]) for n, spikes in found.spikes.items()},
        "measured": sensors.per_inference(found.samples),
    }


def _batches(network: TakesInput, dataset: Dataset, size: int) -> Iterator[tally.Batch]:
    """The test split in its stored order, as raw integers."""
    for raw, labels in Batches(dataset.test, size):
        yield raw_inputs(network, dataset.info.network_input(raw)), labels.numpy()


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
