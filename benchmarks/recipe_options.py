"""What a recipe's channels_last and compile options gain: forward and backward of one batch.

    python benchmarks/recipe_options.py RECIPE [--batch 128] [--rounds 5] [--device cuda]
        [--output FOLDER]

The four combinations take turns; compiling, which happens once, is reported apart. A recipe with
precision = "bf16" is measured in mixed precision. Writes options-RECIPE.json to FOLDER.
"""

import argparse
import copy
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from command import command, save
from timing import interleaved, machine
from torch import Tensor, nn

from arlif.networks import build
from arlif.training import Recipe, load_recipe
from arlif.training.compiled import compiled


def contenders(recipe: Recipe, batch: int, device: torch.device) -> dict[str, Callable[[], None]]:
    """A training step under every combination of the two options, of equal networks."""
    torch.manual_seed(0)
    config = recipe.network()
    net = build(config).to(device)
    frames = 1 if config.static else config.time_steps
    x = torch.rand(frames, batch, *config.input_shape, device=device)
    labels = torch.randint(config.classes, (batch,), device=device)
    last = copy.deepcopy(net).to(memory_format=torch.channels_last)
    networks = {"plain": net, "channels_last": last}
    runs = {name: step(net, net, x, labels, recipe) for name, net in networks.items()}
    for name, source in (("compile", net), ("both", last)):
        own = copy.deepcopy(source)
        runs[name] = step(own, compiled(own), x, labels, recipe)
    return runs


def step(
    net: nn.Module, forward: Callable[[Tensor], Tensor], x: Tensor, labels: Tensor, recipe: Recipe
) -> Callable[[], None]:
    """Forward and backward of one batch."""

    def run() -> None:
        net.zero_grad(set_to_none=True)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=recipe.precision == "bf16"):
            logits = forward(x)
        nn.functional.cross_entropy(logits.float().mean(0), labels).backward()

    return run


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--output", type=Path, default=Path("runs/benchmarks"))
    options = parser.parse_args()
    device = torch.device(options.device)
    recipe = load_recipe(options.recipe)
    runs = contenders(recipe, options.batch, device)
    first = {}
    for name, run in runs.items():
        start = time.perf_counter()
        run()
        first[name] = time.perf_counter() - start
    timings = interleaved(runs, options.rounds, device)
    for name, timing in timings.items():
        gain = timings["plain"].median / timing.median
        print(f"{name:14}{timing}  {gain:5.2f} x  first step {first[name]:.1f} s")
    result = {
        "machine": machine(device),
        "recipe": options.recipe,
        "batch": options.batch,
        "precision": recipe.precision,
        "first_step_seconds": first,
        "seconds": {name: asdict(timing) for name, timing in timings.items()},
    }
    save(options.output, f"options-{Path(options.recipe).stem}.json", result)


if __name__ == "__main__":
    command(main)
