"""What other ways to train soft-reset LIF reach and cost: FPT and TEBN beside plain training.

    python benchmarks/training_modes.py accuracy FOLDER [--steps 4,32] [--seeds 1,2,3]
    python benchmarks/training_modes.py time [--steps 4,32] [--rounds 5]

The recipe digits, 15 epochs. accuracy: trains every way with every seed into FOLDER (what is
finished there is kept) and prints test accuracies after the last epoch. time: seconds of an epoch
(forward, loss, backward, optimizer step over all batches of the training images) on one thread; the
ways take turns, the median of the rounds counts. Both print JSON, a line for every way and T.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from arlif.artifacts import TRAINING
from arlif.data import DatasetInfo
from arlif.networks import build
from arlif.run_folder import Run
from arlif.training import Recipe, load_recipe, train
from arlif.training.batches import Batches
from arlif.training.loss import tet_loss

WAYS: dict[str, dict[str, Any]] = {
    "plain": {"neuron.name": "lif-soft"},
    "FPT": {"neuron.name": "lif-fpt"},
    "TEBN": {"neuron.name": "lif-soft", "architecture.step_gains": True},
}
"""What of the recipe each way changes."""


def recipe_of(way: str, steps: int, seed: int = 1) -> Recipe:
    """The recipe digits, trained this way."""
    return load_recipe("digits", {**WAYS[way], "time_steps": steps, "seed": seed})


def accuracy(way: str, steps: int, seed: int, folder: Path) -> float:
    """In percent, of a training that may be finished already."""
    run = folder / f"{way}-{steps}-{seed}"
    if not Run(run).has(TRAINING):
        train(recipe_of(way, steps, seed), run, overwrite=run.exists(), accelerator="cpu")
    return 100 * float(Run(run).read_json(TRAINING)["last_accuracy"])


def epoch(
    net: nn.Module, optimizer: torch.optim.Optimizer, batches: Batches, info: DatasetInfo
) -> float:
    """Seconds."""
    start = time.perf_counter()
    for x, labels in batches:
        optimizer.zero_grad()
        targets = functional.one_hot(labels, len(info.classes)).float()
        tet_loss(net(info.normalized(info.real(x))), targets).backward()
        optimizer.step()
    return time.perf_counter() - start


def times(steps: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of every round's epoch, by way; a first round is left out."""
    nets: dict[str, tuple[nn.Module, torch.optim.Optimizer]] = {}
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    data = recipe_of("plain", steps).load_data()
    batches = Batches(data.train, 64)
    for way in WAYS:
        torch.manual_seed(1)
        net = build(recipe_of(way, steps).network()).train()
        nets[way] = net, torch.optim.AdamW(net.parameters(), 2e-3)
    for number in range(rounds + 1):
        for way, (net, optimizer) in nets.items():
            seconds = epoch(net, optimizer, batches, data.info)
            if number:
                found[way].append(seconds)
    return found


def main() -> None:
    """Read the command line and print what it asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("accuracy", "time"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--steps", default="4,32")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="training-modes-"))
    for steps in map(int, options.steps.split(",")):
        if options.what == "time":
            for way, seconds in times(steps, options.rounds).items():
                row = {"median": statistics.median(seconds), "all": seconds}
                print(json.dumps({"way": way, "T": steps, "seconds": row}), flush=True)
            continue
        seeds = [int(seed) for seed in options.seeds.split(",")]
        for way in WAYS:
            found = [accuracy(way, steps, seed, folder) for seed in seeds]
            print(json.dumps({"way": way, "T": steps, "accuracy": found}), flush=True)


if __name__ == "__main__":
    main()
