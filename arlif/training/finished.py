"""What a finished training run says about itself: training.json."""

import platform
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import nn

import arlif
from arlif.base.bounded import Amount, Count, Share
from arlif.base.plain_data import STRICT
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
    rows = read_metrics(run)
    best = max(rows[recipe.staged_epochs :], key=lambda row: row["test_accuracy"])
    return Summary(
        last_accuracy=rows[-1]["test_accuracy"],
        best_accuracy=best["test_accuracy"],
        best_epoch=int(best["epoch"]),
        epochs=len(rows),
        seconds=sum(row["seconds"] for row in rows),
        parameters=sum(p.numel() for p in net.parameters()),
        seed=recipe.seed,
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


def device_name(device: torch.device) -> str:
    """The GPU's name, or the kind of another device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
