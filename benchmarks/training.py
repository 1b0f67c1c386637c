"""Where a training step spends its time, and what it keeps in memory.

    python benchmarks/training.py [--recipes A,B] [--steps 4,8,16] [--batch 4] [--output FOLDER]

For every recipe's network and every T: milliseconds per image of forward and backward, bytes per
image that forward leaves allocated for backward, and the share of each kind of operation; with
kernels, with kernels and the recipe option `compact`, and (--plain) with neurons as loops of torch
operations. Milliseconds are measured in turns, see timing.py. Writes training.json to FOLDER.
"""

import argparse
import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from command import command, save
from timing import FOREIGN, interleaved, machine
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from arlif.networks import NetworkConfig, build
from arlif.neurons import modules
from arlif.training import load_recipe
from arlif.training.compact import compact

RECIPES = "cifar10-resnet18-t4,cifar10-dvs-vggsnn-t4"
KINDS = {"conv": "convolution", "norm": "batch norm", "arlif": "neuron", "add": "sum"}
"""Parts of a profiled operation's name, and what to call it; all else is `other`."""


def step(forward: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> None:
    """Forward and backward of one batch."""
    nn.functional.cross_entropy(forward(images).mean(0), labels).backward()


def kept_bytes(forward: Callable[[Tensor], Tensor], images: Tensor) -> int:
    """What one forward pass leaves allocated."""
    if images.is_cuda:
        before = torch.cuda.memory_allocated(images.device)
        alive = forward(images)
        return torch.cuda.memory_allocated(images.device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        alive = forward(images)
    del alive
    return sum(event.self_cpu_memory_usage for event in profiler.key_averages())


def shares(forward: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> dict[str, float]:
    """The share of the time of each kind of operation, in one profiled step."""
    activity = ProfilerActivity.CUDA if images.is_cuda else ProfilerActivity.CPU
    with profile(activities={ProfilerActivity.CPU, activity}) as profiler:
        step(forward, images, labels)
    spent: Counter[str] = Counter()
    for event in profiler.key_averages():
        kind = next((kind for part, kind in KINDS.items() if part in event.key.lower()), "other")
        spent[kind] += event.self_device_time_total if images.is_cuda else event.self_cpu_time_total
    return {kind: us / sum(spent.values()) for kind, us in spent.most_common()}


@contextlib.contextmanager
def plain_neurons() -> Iterator[None]:
    """Neurons as loops of torch operations."""
    applies = modules.kernels.applies
    modules.kernels.applies = lambda *_: False
    try:
        yield
    finally:
        modules.kernels.applies = applies


def modes(net: nn.Module, plain: bool) -> dict[str, Callable[[Tensor], Tensor]]:
    """The ways to run the network forward."""

    def looped(x: Tensor) -> Tensor:
        with plain_neurons():
            return net(x)

    ways = {"kernels": net.__call__, "kernels, compact": compact(net)}
    return {**ways, "plain loops": looped} if plain else ways


def measure(
    config: NetworkConfig, batch: int, rounds: int, device: torch.device, plain: bool
) -> Iterator[dict[str, object]]:
    """One line of the report for every mode."""
    torch.manual_seed(0)
    ways = modes(build(config).to(device), plain)
    images = torch.rand(1 if config.static else config.time_steps, batch, *config.input_shape)
    images, labels = images.to(device), torch.randint(config.classes, (batch,), device=device)
    runs = {name: lambda way=way: step(way, images, labels) for name, way in ways.items()}
    times = interleaved(runs, rounds, device)
    for name, way in ways.items():
        yield {
            "T": config.time_steps,
            "mode": name,
            "milliseconds per image": times[name].median * 1e3 / batch,
            "quartiles": [times[name].low * 1e3 / batch, times[name].high * 1e3 / batch],
            "CPU share of others": times[name].foreign,
            "MiB kept per image": kept_bytes(way, images) / batch / 2**20,
            "share": shares(way, images, labels),
        }


def describe(row: dict[str, object]) -> str:
    """A line of the table; where other programs disturbed the milliseconds, it says so."""
    parts = ", ".join(f"{kind} {share:.0%}" for kind, share in row["share"].items())
    foreign = row["CPU share of others"]
    warning = f"  (others used {foreign:.0%} of the CPU)" if foreign > FOREIGN else ""
    return (
        f"T = {row['T']:2}  {row['mode']:16}  {row['milliseconds per image']:8.1f} ms/image"
        f"  {row['MiB kept per image']:7.1f} MiB/image  {parts}{warning}"
    )


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", default=RECIPES, help="names, separated by commas")
    parser.add_argument("--steps", default="4,8,16", help="time steps, separated by commas")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count (3)")
    parser.add_argument("--plain", action="store_true", help="also neurons as loops")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--output", type=Path, default=Path("runs/benchmarks"))
    options = parser.parse_args()
    device = torch.device(options.device)
    result = {"machine": machine(device), "batch": options.batch, "recipes": {}}
    for name in options.recipes.split(","):
        print(name)
        config, rows = load_recipe(name).network(), result["recipes"].setdefault(name, [])
        for time_steps in map(int, options.steps.split(",")):
            changed = dataclasses.replace(config, time_steps=time_steps)
            for row in measure(changed, options.batch, options.rounds, device, options.plain):
                print(describe(row))
                rows.append(row)
    save(options.output, "training.json", result)


if __name__ == "__main__":
    command(main)
