"""evaluate_run: a network on a whole test split, or on own data: the float one or its integers."""

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from arlif.artifacts import NIR
from arlif.base.cut import cut
from arlif.base.errors import ArlifError, require
from arlif.base.side_by_side import on_cluster
from arlif.data import Dataset
from arlif.data.own import OwnData, OwnSamples
from arlif.run_folder import Run
from arlif.training import load_trained, read_recipe
from arlif.training.accuracy import evaluate
from arlif.training.batches import Batches
from export.nir import read_nir
from hw_sim.energy.sensors import measured
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer import tally
from hw_sim.engines.integer.integer_options import Device
from hw_sim.engines.simulation import TakesInput, raw_inputs
from hw_sim.engines.table import FLOAT, INTEGER, find_engine
from hw_sim.engines.work import Progress
from hw_sim.origin.of_run import load_original
from hw_sim.pipeline.samples import require_own

BATCH = 256
"""So many samples of own data are computed at once."""


def evaluate_run(
    folder: Path,
    engine: str = FLOAT.name,
    data_folder: Path | None = None,
    jobs: int = 1,
    dask: str | None = None,
    device: Device = Device.CPU,
    progress: Progress = lambda done, total: None,
    own: OwnData | None = None,
) -> dict[str, Any]:
    """Evaluate a run on its whole test split: accuracy, spike rates; writes nothing.

    engine: float or integer; of the latter only, jobs: processes side by side, dask: the address of
    a scheduler whose cluster computes, device, and progress, called with (samples done, samples).
    own: a user's inputs and labels, in place of the test split; an imported run has no other.
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
        return _integer(folder, data_folder, jobs, dask, device, progress, own)
    require(
        jobs == 1 and dask is None and device is Device.CPU,
        "--jobs, --dask and --device need --engine integer",
    )
    if own is None and not Run(folder).imported:
        return _float(folder, data_folder)
    return _float_on(folder, own)


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


def _float_on(folder: Path, own: OwnData | None) -> dict[str, Any]:
    original = load_original(folder)
    given = require_own(own, Run(folder))
    samples = given.load(original.input_shape, original.frames)
    labels = _labels(samples, given)
    with measured() as sensors:
        simulation = simulate_float(original.module, torch.from_numpy(samples.real))
    confusion = simulation.confusion(labels)
    return {
        "accuracy": simulation.accuracy(labels),
        "samples": len(labels),
        "confusion": confusion.tolist(),
        "classes": list(samples.names(str(given.inputs), len(confusion))),
        "spike_rate": simulation.rates(original.time_steps),
        "measured": sensors.per_inference(len(labels)),
    }


def _labels(samples: OwnSamples, given: OwnData) -> NDArray[np.int64]:
    if samples.labels is None:
        raise ArlifError(
            f"accuracy needs the class of every sample, which {given.inputs} does not say; give "
            "--labels, or see what comes out with arlif simulate"
        )
    return samples.labels


def _integer(
    folder: Path,
    data_folder: Path | None,
    jobs: int,
    dask: str | None,
    device: Device,
    progress: Progress,
    own: OwnData | None,
) -> dict[str, Any]:
    run = Run(folder)
    network = read_nir(run.require(NIR))
    if own is None and not run.imported:
        recipe = read_recipe(folder)
        dataset = recipe.load_data(data_folder)
        total, batches = len(dataset.test), _batches(network, dataset, recipe.batch_size)
    else:
        given = require_own(own, run)
        frames = 1 if network.input.static else network.time_steps
        samples = given.load(network.input.shape, frames)
        samples.require_classes(str(given.inputs), len(network.readout.bias))
        labels = _labels(samples, given)
        total, batches = len(labels), _own_batches(network, samples.real, labels)
    with on_cluster(dask), measured() as sensors:
        found = tally.evaluate(
            network,
            batches,
            network.time_steps,
            device,
            jobs=-1 if dask else jobs,
            progress=lambda done: progress(done, total),
        )
    steps = found.samples * network.time_steps
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


def _own_batches(
    network: TakesInput, real: NDArray[np.float32], labels: NDArray[np.int64]
) -> Iterator[tally.Batch]:
    """Own data in their order, as raw integers."""
    for part in cut(len(labels), BATCH):
        yield raw_inputs(network, torch.from_numpy(real[:, part])), labels[part]
