"""What cross-checks cost the training that they run beside.

    python benchmarks/crosscheck.py [--recipe NAME] [--epochs 20] [--every 5] [--rounds 5]
                                    [--output FOLDER]

Trains the recipe in turn without and with cross-checks and prints seconds, the median of the
rounds: of the epochs themselves, and of the whole training, with the wait for checks that are left
at its end. Checks run on one core at the lowest priority: the difference is what they take from a
machine that has no core to spare. Writes crosscheck.json to FOLDER.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from command import command, save
from timing import machine

from arlif.training import load_recipe, train
from hw_sim.crosscheck.callback import CrossCheck

NAMES = ("without", "with")


def train_once(recipe: str, epochs: int, every: int) -> dict[str, float]:
    """Seconds of the epochs and of everything. every: 0 trains without checks."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        callbacks = (CrossCheck(run, every),) if every else ()
        started = time.perf_counter()
        summary = train(load_recipe(recipe, {"epochs": epochs}), run, callbacks=callbacks)
        for checker in callbacks:
            checker.finish()
        whole = time.perf_counter() - started
        bad = [c for checker in callbacks for c in checker.checks if c.verdict != "passed"]
    if bad:
        raise SystemExit(f"the check of epoch {bad[0].epoch}: {bad[0].verdict}, {bad[0].message}")
    return {"epochs": summary.seconds, "whole": whole}


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="digits")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("runs/benchmarks"))
    options = parser.parse_args()
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in NAMES}
    for _ in range(options.rounds):
        for name, every in zip(NAMES, (0, options.every), strict=True):
            taken[name].append(train_once(options.recipe, options.epochs, every))
    medians = {
        name: {part: statistics.median(t[part] for t in turns) for part in turns[0]}
        for name, turns in taken.items()
    }
    for part in ("epochs", "whole"):
        without, beside = (medians[name][part] for name in NAMES)
        print(f"{part}: {without:.2f} s without, {beside:.2f} s with, x {beside / without:.3f}")
    content = {
        "machine": machine(torch.device("cpu")),
        "setting": {key: str(value) for key, value in vars(options).items()},
        "turns": taken,
        "medians": medians,
    }
    save(options.output, "crosscheck.json", content)


if __name__ == "__main__":
    command(main)
