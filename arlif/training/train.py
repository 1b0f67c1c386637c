"""One training run in one directory: start it, continue it, load what it made."""

import os
import signal
from contextlib import nullcontext
from dataclasses import asdict
from errno import EACCES, EPERM, EROFS
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import torch
from torch import nn

from arlif import data
from arlif.artifacts import (
    BEST,
    CONFIG,
    CONFUSION,
    CROSSCHECK,
    GRAPH,
    IMPORT,
    LAST,
    METRICS,
    MODEL,
    NEURON,
    SNAPSHOTS,
    TRAIN,
    TRAINING,
    WEIGHTS,
)
from arlif.base.digests import DIGESTS
from arlif.base.errors import (
    ArlifError,
    FormatError,
    UnfinishedError,
    WriteError,
    first_line,
    require,
)
from arlif.base.files import atomic_path
from arlif.base.lock import only_writer
from arlif.base.memory import enough_memory
from arlif.base.plain_data import to_mapping
from arlif.networks import Airbench, build
from arlif.networks.builder import run_once
from arlif.networks.user_neuron import file_of, is_own
from arlif.networks.weight_files import broken, read_saved, weights_in
from arlif.run_folder import Run
from arlif.training.continued import changed, finished_epochs, recorded, require_continuable
from arlif.training.finished import Summary, device_name, summarize
from arlif.training.metrics import Metrics
from arlif.training.recipe import Recipe
from arlif.training.run_recipe import read_recipe
from arlif.training.trainer import fitting, make_trainer

NEEDED = ("arlif.training.module", "arlif.training.scalars")
"""Loaded before a run is touched: a package of theirs that is not installed leaves it as it is."""

WHITENED = 2000
"""Training images, the first ones, whose patches an Airbench network whitens."""


def train(
    recipe: Recipe,
    run: Path,
    resume: bool = False,
    overwrite: bool = False,
    data_folder: Path | None = None,
    accelerator: str = "auto",
    devices: int = 1,
    callbacks: tuple[Any, ...] = (),
) -> Summary:
    """Train by a recipe; everything the run makes goes into the directory `run`.

    Writes config.json, metrics.csv, checkpoints/{best,last}.ckpt, tensorboard/, then of the last
    epoch confusion.csv and model.pt (the weights), and training.json (the summary).
    resume: continue from the last finished epoch, as if never stopped; the recipe must be the same.
    overwrite: start anew where the directory already holds a run. data_folder: where datasets lie.
    devices: more than one trains with one process each (DDP): Lightning starts the program again
    for every further device, and those processes end here when the training is done.
    callbacks: more Lightning callbacks, such as hw_sim.crosscheck.callback.CrossCheck.
    Raises ArlifError: run exists or is missing, recipe differs or cannot be built, data missing,
    memory scarce; UnfinishedError: disk full, stopped.
    """
    for module in NEEDED:
        import_module(module)
    from arlif.training.checkpoints import save

    home = Run(run)
    if not _is_worker():
        _check(recipe, home, resume, overwrite)
    require(
        1 <= devices <= recipe.batch_size,
        f"a batch of {recipe.batch_size} trains on 1 to {recipe.batch_size} devices, not {devices}",
    )
    require(
        devices == 1 or not recipe.stages,
        f"a training in stages runs on one device, not {devices}: those would wait for gradients "
        "of neurons that a stage leaves out",
    )
    _require_cores(accelerator, devices)
    dataset = recipe.load_data(data_folder)
    torch.manual_seed(recipe.seed)
    net = build(recipe.network())
    if isinstance(recipe.architecture, Airbench):
        images = torch.from_numpy(dataset.train.inputs[:WHITENED])
        recipe.architecture.whiten(net, dataset.info.network_input(images)[0])
    if not _is_worker():
        run_once(net, recipe.network())  # what cannot run leaves an old run as it is
    with nullcontext() if _is_worker() else only_writer(run, TRAIN):
        if not _is_worker():
            _check(recipe, home, resume, overwrite)  # which another process may have changed
            if not resume:
                _start(recipe, home)
        recipe = read_recipe(run)
        require_continuable(recipe, home, devices)
        try:
            with enough_memory("lower batch_size or time_steps"):
                device = _fit(net, recipe, home, dataset, accelerator, devices, callbacks)
            if _is_worker():
                raise SystemExit(0)
            save(net.state_dict(), home.path(MODEL))
            home.record(MODEL, made_from=(CONFIG, NEURON))
        except (OSError, WriteError) as error:
            denied = error.errno in (EACCES, EPERM, EROFS)
            cure = "make its files writable" if denied else "make room"
            raise UnfinishedError(f"training {run} stopped: {error}; {cure}") from error
        summary = summarize(run, recipe, net, dataset.share, device, devices)
        home.write_json(TRAINING, asdict(summary))
        home.record(TRAINING, METRICS, CONFUSION, made_from=(MODEL,))
    return summary


def load_trained(run: Path) -> tuple[nn.Module, Recipe]:
    """The trained network in eval mode on the CPU, and its recipe.

    Raises ArlifError where the run is missing or unfinished, a file is damaged, or a weight is not
    finite.
    """
    path = Run(run).require(MODEL)
    recipe = read_recipe(run)
    net = build(recipe.network())
    try:
        net.load_state_dict(weights_in(read_saved(path)))
    except Exception as error:
        raise ArlifError(
            f"{path} is damaged or of another network ({first_line(error)}); train again"
        ) from None
    wrong = broken(net.state_dict())
    require(
        not wrong,
        f"{path}: {wrong} holds NaN, infinity or a variance below 0, the training diverged; train "
        "again with a lower learning_rate",
    )
    return net.eval(), recipe


def require_same_recipe(recipe: Recipe, run: Path) -> None:
    """Raise ArlifError naming what differs, unless `run` was started with this recipe."""
    others = changed(to_mapping(read_recipe(run)), to_mapping(recipe))
    require(
        not others,
        f"{run} was started with another recipe ({', '.join(others)} differ); continue with the "
        "old values or start a new run in another directory",
    )


def _is_worker() -> bool:
    """Whether this process trains beside a first one, which does everything else."""
    return int(os.environ.get("LOCAL_RANK", "0")) > 0


def _require_cores(accelerator: str, devices: int) -> None:
    """Raise ArlifError where processes on a CPU would have to share its cores."""
    on_cpu = accelerator == "cpu" or (accelerator == "auto" and not torch.cuda.is_available())
    cores = len(os.sched_getaffinity(0))
    require(
        not on_cpu or devices <= max(cores, 2),
        f"{devices} devices are processes on {cores} cores of this CPU, each with the network and "
        f"the data in its own memory; take at most {max(cores, 2)}",
    )


def _check(recipe: Recipe, run: Run, resume: bool, overwrite: bool) -> None:
    """Raise unless training may go on, or start, in `run`."""
    require(
        run.folder.is_dir() or not run.folder.exists(),
        f"a run is a directory, and {run.folder} is a file; choose another name",
    )
    require(
        not (resume and overwrite),
        "resume (--resume) continues a run and overwrite (--overwrite) replaces it; give one",
    )
    if resume:
        require_same_recipe(recipe, run.folder)
        return
    require(
        overwrite or not run.has(CONFIG),
        f"{run.folder} already holds a training run; continue it with resume (--resume), replace "
        "it with overwrite (--overwrite), or choose another directory",
    )
    require(
        overwrite or not run.imported,
        f"{run.folder} holds an imported network; replace it with overwrite (--overwrite), or "
        "choose another directory",
    )


def _start(recipe: Recipe, run: Run) -> None:
    """Remove what an earlier training left in `run`, write the recipe and copy its neuron."""
    own = file_of(recipe.neuron.name).read_bytes() if is_own(recipe.neuron.name) else None
    trained = (MODEL, TRAINING, METRICS, CONFUSION, CROSSCHECK, BEST, LAST, NEURON)
    artifacts = (*trained, IMPORT, GRAPH, WEIGHTS)
    old = [run.folder / DIGESTS, *(run.path(artifact) for artifact in artifacts)]
    try:
        for file in (*old, *(run.folder / "tensorboard").glob("events.*")):
            file.unlink(missing_ok=True)
        rmtree(run.folder / SNAPSHOTS, ignore_errors=True)
    except OSError as error:
        raise WriteError(
            f"cannot start a run in {run.folder}: {error.strerror}; choose another directory",
            error.errno,
        ) from None
    if own is not None:
        with atomic_path(run.path(NEURON)) as temporary:
            temporary.write_bytes(own)
    run.write_json(CONFIG, to_mapping(recipe))
    run.record(NEURON, CONFIG) if own is not None else run.record(CONFIG)


def _fit(
    net: nn.Module,
    recipe: Recipe,
    run: Run,
    dataset: data.Dataset,
    accelerator: str,
    devices: int,
    callbacks: tuple[Any, ...],
) -> str:
    """Train to the last epoch; returns the name of the device."""
    from arlif.training.checkpoints import EpochCheckpoint
    from arlif.training.module import FINISHED_ACCURACY, TrainingModule

    checkpoint = run.path(LAST)
    on_ctrl_c = signal.getsignal(signal.SIGINT)  # which Lightning ignores once it has come
    checkpoints = (EpochCheckpoint(run.path(BEST), FINISHED_ACCURACY), EpochCheckpoint(checkpoint))
    with fitting():
        finished = finished_epochs(run)
        module = TrainingModule(net, recipe, dataset, finished)
        resume_from = str(checkpoint) if finished else None
        trainer = make_trainer(recipe, accelerator, devices, (*checkpoints, *callbacks))
        if trainer.is_global_zero:
            before = recorded(run, len(dataset.info.classes))
            module.metrics = Metrics(run.folder, before.rows)
            if before.confusion:
                module.metrics.add_confusion(np.array(before.confusion), dataset.info.classes)
            if not resume_from:
                module.metrics.add_recipe(to_mapping(recipe))
        try:
            trainer.fit(module, ckpt_path=resume_from, weights_only=True)
        except SystemExit:
            signal.signal(signal.SIGINT, on_ctrl_c)
            raise UnfinishedError(
                f"stopped after epoch {finished_epochs(run)} of {recipe.epochs}"
            ) from None
        except (MemoryError, OSError):
            raise
        except Exception as error:  # whatever torch and Lightning raise on values of another kind
            if module.taken_up or not resume_from:
                raise
            raise FormatError(
                f"{checkpoint} holds what no training here leaves ({first_line(error)}); put it "
                "back, or start the run anew (--overwrite)"
            ) from error
        return device_name(trainer.strategy.root_device)
