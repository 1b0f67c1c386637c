"""sweep_run: accuracy and energy over bit widths and time steps, point by point in parallel."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from joblib import delayed
from numpy.typing import NDArray
from torch import Tensor

import arlif
from arlif.artifacts import MODEL, SWEEP
from arlif.base.errors import ArlifError, require
from arlif.base.plain_data import to_mapping
from arlif.base.side_by_side import in_parallel, on_cluster
from arlif.base.workers import leave_with
from arlif.core.equality import fingerprint
from arlif.core.network import Input, require_time_steps
from arlif.data.own import OwnData
from arlif.quantize import Precision, quantize
from arlif.quantize.linearized import LinearizedNetwork
from arlif.run_folder import Run, writes
from arlif.training import read_recipe
from hw_sim.energy.catalogue import fitting_models
from hw_sim.energy.models import CostModel
from hw_sim.pipeline.defaults import SWEPT_BITS, SWEPT_STEPS
from hw_sim.pipeline.measure import Bench
from hw_sim.pipeline.parent import Parent, load_parent
from hw_sim.pipeline.samples import Samples, load_spread, require_own
from hw_sim.pipeline.sweep_points import Sweep, SweepRow, read_sweep, write_sweep


@writes("sweep")
def sweep_run(
    folder: Path,
    weight_bits: Sequence[int] = SWEPT_BITS,
    time_steps: Sequence[int] = SWEPT_STEPS,
    samples: int | None = None,
    jobs: int = 1,
    data_folder: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, points: None,
    say: Callable[[str], None] = lambda message: None,
    own: OwnData | None = None,
    dask: str | None = None,
) -> dict[str, Any]:
    """Quantize and simulate a run at every combination; writes sweep.json after every point.

    Returns a Sweep as plain data, its rows those that were asked for; what sweep.json holds already
    is not measured again. samples: test samples, of all classes; None takes all. jobs: processes
    side by side. progress: called with (points done, points). say: told before the first point what
    of an earlier sweep is kept, or why nothing is. own: a user's inputs and labels, in place of the
    run's; they calibrate, too. dask: the address of a scheduler whose cluster computes.
    Raises ArlifError where the run has no float network, its numbers do not fit, or labels lack.
    """
    run = Run(folder)
    parent, test, dataset = _material(run, samples, data_folder, own)
    labels = test.labels
    if labels is None:
        raise ArlifError(f"a sweep measures accuracy, and {dataset} holds no labels; give --labels")
    bits, steps = (tuple(dict.fromkeys(numbers)) for numbers in (weight_bits, time_steps))
    for number in steps:
        require_time_steps(number)
    require(bool(bits and steps), "a sweep needs at least one bit width and one number of steps")
    asked = Sweep(arlif.__version__, dataset, len(test), bits, steps)
    done = _earlier(run, asked, say)
    linear, fitted = parent.linear, parent.fitted
    jobs = -1 if dask else jobs
    progress(len(done.answer), len(done.points))
    with on_cluster(dask):
        for row in sweep(
            linear, parent.source, test.real, labels, done.missing, jobs=jobs, fitted=fitted
        ):
            done = done.with_row(row)
            write_sweep(run, done)
            progress(len(done.answer), len(done.points))
    write_sweep(run, done)
    return to_mapping(replace(done, rows=done.answer))


def _material(
    run: Run, samples: int | None, data_folder: Path | None, own: OwnData | None
) -> tuple[Parent, Samples, str]:
    """The float network, the samples that it is measured on, and what they are called."""
    run.require(MODEL)
    if own is None and not run.imported:
        recipe = read_recipe(run.folder)
        test = load_spread(recipe, data_folder, samples)
        return load_parent(run.folder, data_folder), test, recipe.dataset
    given = require_own(own, run)
    parent = load_parent(run.folder, data_folder, given)
    test = parent.some(samples)
    return parent, test, f"{given.inputs} ({fingerprint(tuple(test.digests))[:8]})"


def sweep(
    network: LinearizedNetwork,
    source: Input,
    real: Tensor,
    labels: NDArray[np.int64],
    points: Sequence[tuple[int, int]],
    models: Sequence[CostModel] | None = None,
    jobs: int = 1,
    fitted: Callable[[Precision], LinearizedNetwork] | None = None,
) -> Iterator[SweepRow]:
    """Quantize and simulate at every point, (weight bits, time steps): rows in order, when done.

    real: [1, N, *shape] (static) or [T, N, *shape]; recordings are simulated over their first
    steps. models: by default every built-in one that prices all neurons. jobs: processes side by
    side. fitted: the network as it is quantized to such numbers; None: as it is. Raises ArlifError
    where a recording is too short.
    """
    require(len(labels) >= 1, "a sweep needs at least one sample")
    longest = max((steps for _, steps in points), default=0)
    require(
        network.static or longest <= len(real),
        f"recordings of {len(real)} frames cannot be simulated for {longest} time steps; take at "
        f"most {len(real)}",
    )
    precisions = [(Precision(weight_bits=bits), steps) for bits, steps in points]
    inputs = real.numpy()  # as an array it goes to other processes once
    calls = (
        delayed(_point)(
            fitted(precision) if fitted else network,
            source,
            inputs,
            labels,
            precision,
            steps,
            models,
            os.getpid(),
        )
        for precision, steps in precisions
    )
    return in_parallel(calls, jobs)


def _point(
    network: LinearizedNetwork,
    source: Input,
    inputs: NDArray[np.float32],
    labels: NDArray[np.int64],
    precision: Precision,
    time_steps: int,
    models: Sequence[CostModel] | None,
    caller: int,
) -> SweepRow:
    leave_with(caller)
    real = torch.from_numpy(inputs)
    quantized = quantize(network, source, precision, time_steps)
    priced = fitting_models(quantized) if models is None else tuple(models)
    bench = Bench.of(quantized, real if network.static else real[:time_steps], priced)
    simulation = bench.simulate()
    cost = bench.cost(simulation)
    return SweepRow(
        precision.weight_bits,
        time_steps,
        simulation.accuracy(labels),
        cost.synaptic_operations,
        cost.energy_uj,
    )


def _earlier(run: Run, asked: Sweep, say: Callable[[str], None]) -> Sweep:
    """The sweep that is asked for with the points that earlier ones have measured."""
    if not run.has(SWEEP):
        return asked
    try:
        run.require(SWEEP)
        found = read_sweep(run)
        others = asked.differs(found)
        require(not others, f"{', '.join(others)} differ from those of {run.path(SWEEP)}")
    except ArlifError as error:
        say(f"the sweep starts anew: {error}")
        return asked
    known = replace(asked, rows=found.rows)
    if known.answer:
        say(
            f"{run.path(SWEEP)} has {len(known.answer)} of {len(known.points)} points already; "
            "remove it to measure them again"
        )
    return known
