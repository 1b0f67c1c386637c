"""A check as a folder: a snapshot and what is asked of it; beside it, the samples of all checks."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from arlif import data
from arlif.base.files import atomic_path, write_text
from arlif.base.plain_data import STRICT, from_mapping, to_mapping
from arlif.data import Dataset
from arlif.networks import build
from arlif.quantize.trained import CALIBRATION_SAMPLES, Quantizable
from arlif.training import Recipe
from hw_sim.crosscheck.result import Check
from hw_sim.crosscheck.snapshot import cross_check
from hw_sim.pipeline.samples import Samples

SNAPSHOT, TASK, SAMPLES = "snapshot.pt", "task.json", "samples.npz"


@dataclass(frozen=True)
class Task:
    """Check the snapshot of an epoch.

    traced: samples that Lava runs too. time_limit_s: for Lava.
    """

    epoch: int
    recipe: Recipe
    traced: int
    time_limit_s: float

    __pydantic_config__: ClassVar = STRICT


def write_samples(root: Path, dataset: Dataset, samples: int) -> None:
    """Keep the raw samples that all checks of a run use, spread over the classes of each split."""
    test = dataset.test.spread(samples)
    with atomic_path(root / SAMPLES) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            calibration=dataset.train.spread(CALIBRATION_SAMPLES).inputs,
            inputs=test.inputs,
            labels=test.labels,
        )


def write_task(folder: Path, task: Task, state: dict[str, Tensor]) -> None:
    """Write what a process of its own needs: the task and the weights."""
    from arlif.training.checkpoints import save  # loads Lightning

    folder.mkdir(parents=True, exist_ok=True)
    save(state, folder / SNAPSHOT)
    write_text(folder / TASK, json.dumps(to_mapping(task)))


def run_task(folder: Path) -> Check:
    """Do what a folder asks. Raises ArlifError where the network cannot be quantized."""
    task = from_mapping(Task, json.loads((folder / TASK).read_text("utf-8")), str(folder / TASK))
    module = build(task.recipe.network())
    module.load_state_dict(torch.load(folder / SNAPSHOT, map_location="cpu", weights_only=True))
    info = data.describe(task.recipe.dataset)
    with np.load(folder.parent / SAMPLES, allow_pickle=False) as stored:
        calibration, inputs, labels = (stored[n] for n in ("calibration", "inputs", "labels"))

    def real(raw: Any) -> Tensor:
        return info.network_input(torch.from_numpy(raw))

    snapshot = Quantizable.of(module.eval(), task.recipe, real(calibration))
    samples = Samples(real(inputs), labels)
    return cross_check(task.epoch, snapshot, samples, task.traced, task.time_limit_s)
