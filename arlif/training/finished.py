"""What a finished training run says about itself: training.json."""

import platform
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

import arlif
from arlif.artifacts import CONFIG, METRICS, TRAINING
from arlif.base.bounded import Amount, Count, Share
from arlif.base.errors import FormatError, require
from arlif.base.plain_data import STRICT
from arlif.run_content import read_checked
from arlif.run_folder import Run
from arlif.training.metrics import read_metrics
from arlif.training.recipe import Recipe


@dataclass(frozen=True)
class Summary:
    """What a finished training run says about itself; accuracies on the test split.

    last_accuracy is what we report; best_accuracy is the best epoch's, as the paper
    reports, those of stages left out. samples: those of the dataset, training and test, in
    words. device, devices, command: what it trained on, how many of them, and the command
    line that finished it. arlif to python: versions.
    """

    last_accuracy: Share
    best_accuracy: Share
    best_epoch: Count
    epochs: Count
    seconds: Amount
    parameters: Count
    seed: int
    samples: str
    device: str
    devices: Count
    command: str
    arlif: str
    numpy: str
    torch: str
    python: str
    machine: str

    __pydantic_config__: ClassVar = STRICT


def summarize(
    run: Path, recipe: Recipe, net: nn.Module, samples: str, device: str, devices: int
) -> Summary:
    """What a run whose last epoch is recorded says about itself."""
    return Summary(
        **_recorded(read_metrics(run), recipe),
        parameters=sum(p.numel() for p in net.parameters()),
        samples=samples,
        device=device,
        devices=devices,
        command=shlex.join(sys.argv),
        arlif=arlif.__version__,
        numpy=np.__version__,
        torch=torch.__version__,
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
    )


def read_summary(run: Run, recipe: Recipe) -> dict[str, Any]:
    """What a finished run says about itself. Raises ArlifError where metrics.csv says otherwise."""
    content = read_checked(run, Summary, TRAINING)
    rows = read_metrics(run.folder)[: content["epochs"]]  # more, where a longer training has begun
    recorded = _recorded(rows, recipe) if len(rows) > recipe.staged_epochs else {}
    wrong = [name for name, value in recorded.items() if content[name] != value]
    require(
        not wrong,
        f"{', '.join(wrong)} of {run.path(TRAINING)} are not those of {METRICS.name} and "
        f"{CONFIG.name}; write it again with: {run.command(TRAINING)}",
        FormatError,
    )
    return content


def _recorded(rows: Sequence[dict[str, float]], recipe: Recipe) -> dict[str, Any]:
    """What a Summary repeats of a record and of the recipe."""
    best = max(rows[recipe.staged_epochs :], key=lambda row: row["test_accuracy"])
    return {
        "last_accuracy": rows[-1]["test_accuracy"],
        "best_accuracy": best["test_accuracy"],
        "best_epoch": int(best["epoch"]),
        "epochs": len(rows),
        "seconds": sum(row["seconds"] for row in rows),
        "seed": recipe.seed,
    }


def device_name(device: torch.device) -> str:
    """The GPU's name, or the kind of another device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
