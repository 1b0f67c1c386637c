"""Where a training step of the paper's ResNet-18 spends its time, and what it keeps in memory.

    python benchmarks/training.py [--steps 4,8,16] [--batch 4] [--plain] [--output FOLDER]

Prints, for every T, milliseconds per image, the share of each kind of operation, and the bytes per
image that forward keeps for backward (every storage counted once, weights left out). --plain runs
the neurons as loops of torch operations instead of kernels. Writes training.json to FOLDER.
"""

import argparse
import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch
from timing import machine
from torch import nn
from torch.profiler import ProfilerActivity, profile

from arlif.networks import NetworkConfig, NeuronConfig, PreActResNet, build
from arlif.neurons import modules

KINDS = {"conv": "convolution", "norm": "batch norm", "arlif::": "neuron", "add": "sum"}
"""Parts of a profiled operation's name, and what to call it; all else is `other`."""


def network(time_steps: int) -> nn.Module:
    """ResNet-18 for CIFAR-10: 32 x 32 images, 10 classes."""
    architecture, neuron = PreActResNet(), NeuronConfig()
    return build(NetworkConfig(architecture, neuron, (3, 32, 32), 10, time_steps, True))


def step(net: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> None:
    """Forward and backward of one batch."""
    loss = nn.functional.cross_entropy(net(images).mean(0), labels)
    loss.backward()


def kept_bytes(net: nn.Module, images: torch.Tensor) -> int:
    """What one forward pass keeps for the backward pass, beyond weights and input."""
    mine = {t.untyped_storage().data_ptr() for t in (*net.parameters(), *net.buffers(), images)}
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in mine:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        alive = net(images)
    del alive
    return sum(kept.values())


def shares(net: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    """The share of the time of each kind of operation, in one profiled step."""
    activity = ProfilerActivity.CUDA if images.is_cuda else ProfilerActivity.CPU
    with profile(activities={ProfilerActivity.CPU, activity}) as profiler:
        step(net, images, labels)
    spent: Counter[str] = Counter()
    for event in profiler.key_averages():
        kind = next((kind for part, kind in KINDS.items() if part in event.key.lower()), "other")
        spent[kind] += event.self_device_time_total if images.is_cuda else event.self_cpu_time_total
    return {kind: us / sum(spent.values()) for kind, us in spent.most_common()}


@contextlib.contextmanager
def plain_neurons() -> Iterator[None]:
    """Neurons as loops of torch operations."""
    applies = modules.kernels.applies
    modules.kernels.applies = lambda neuron, x: False
    try:
        yield
    finally:
        modules.kernels.applies = applies


def measure(time_steps: int, batch: int, device: torch.device) -> dict[str, object]:
    """One line of the report."""
    torch.manual_seed(0)
    net = network(time_steps).to(device)
    images = torch.rand(1, batch, 3, 32, 32, device=device)
    labels = torch.randint(10, (batch,), device=device)
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        step(net, images, labels)
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return {
        "T": time_steps,
        "milliseconds per image": min(seconds[1:]) * 1e3 / batch,
        "MiB kept per image": kept_bytes(net, images) / batch / 2**20,
        "share": shares(net, images, labels),
    }


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", default="4,8,16", help="time steps, separated by commas")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--plain", action="store_true", help="neurons as loops of torch operations")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--output", type=Path, default=Path("runs/benchmarks"))
    options = parser.parse_args()
    device = torch.device(options.device)
    rows = []
    with plain_neurons() if options.plain else contextlib.nullcontext():
        for time_steps in map(int, options.steps.split(",")):
            row = measure(time_steps, options.batch, device)
            parts = ", ".join(f"{kind} {share:.0%}" for kind, share in row["share"].items())
            print(
                f"T = {time_steps:3}  {row['milliseconds per image']:8.1f} ms/image"
                f"  {row['MiB kept per image']:8.1f} MiB/image  {parts}"
            )
            rows.append(row)
    options.output.mkdir(parents=True, exist_ok=True)
    result = {"machine": machine(device), "batch": options.batch, "plain": options.plain}
    path = options.output / ("training-plain.json" if options.plain else "training.json")
    path.write_text(json.dumps({**result, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
