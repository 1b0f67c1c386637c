"""How long neurons take, forward and backward, against each other and against memory itself.

    python benchmarks/neuron_training.py [--quick] [--shape 32,64,32,32] [--steps 4]
        [--output FOLDER]

The floor is the time to move what any neuron must move: forward reads x and writes the spikes,
backward reads x and the spikes' gradient and writes that of x. Five passes over the activations at
the bandwidth that a copy reaches in the same run (a copy is two passes), from and to tensors that
are not in the cache. The stricter floor copies the same two tensors again and again, which partly
stay in the last-level cache. Writes neuron.json and neuron.png to FOLDER.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import cycle
from pathlib import Path

import matplotlib
import torch
from command import command, save
from contenders import OTHERS, OURS, PLAIN, Contender, contenders
from timing import FOREIGN, Timing, interleaved, machine

FLOOR = "floor: 5 passes over memory"
WARM_FLOOR = "floor: 5 passes, warm cache"
BEYOND_CACHES = 512 * 2**20
"""Bytes: tensors that together are larger than any cache."""


def measure(
    neurons: dict[str, Contender], steps: int, shape: tuple[int, ...], rounds: int, x: torch.Tensor
) -> dict[str, Timing]:
    """Time forward + backward of every neuron, and the floors, on the same x [steps, *shape]."""
    gradient = torch.randn_like(x)
    pairs = max(1, BEYOND_CACHES // (2 * x.nbytes))
    cold = cycle([(torch.zeros_like(x), torch.zeros_like(x)) for _ in range(pairs)])
    warm = cycle([next(cold)])
    x.requires_grad_()

    def copy(pairs: Iterator[tuple[torch.Tensor, torch.Tensor]]) -> None:
        source, target = next(pairs)
        target.copy_(source)

    def train(neuron: Contender) -> None:
        x.grad = None
        neuron(x).backward(gradient)

    runs = {name: lambda neuron=neuron: train(neuron) for name, neuron in neurons.items()}
    floors = {FLOOR: lambda: copy(cold), WARM_FLOOR: lambda: copy(warm)}
    times = interleaved({**floors, **runs}, rounds, x.device)
    return {**times, **{floor: times[floor].times(2.5) for floor in floors}}


def report(times: dict[str, Timing]) -> dict[str, dict[str, float]]:
    """Print a table, and return its numbers."""
    ours, floor = times[OURS].median, times[FLOOR].median
    rows = {}
    for name, timing in sorted(times.items(), key=lambda item: item[1].median):
        ratios = {"over_ours": timing.median / ours, "over_floor": timing.median / floor}
        rows[name] = {**asdict(timing), **ratios}
        print(
            f"{name:28} {timing}  {ratios['over_ours']:6.2f} x ours"
            f" {ratios['over_floor']:7.2f} x floor{_warning(timing)}"
        )
    return rows


def _warning(timing: Timing) -> str:
    """Where no quiet moment was found, the numbers say so."""
    share = f"  (others used {timing.foreign:.0%} of the CPU)"
    return share if timing.foreign > FOREIGN else ""


def targets(times: dict[str, Timing]) -> dict[str, float]:
    """The ratios that the project promises: at least 6, at least 1.8, at most 4 and 4."""
    ours = times[OURS].median
    others = [times[name].median for name in OTHERS if name in times]
    return {
        "plain loop / ours": times[PLAIN].median / ours,
        "fastest LIF of others / ours": min(others, default=float("nan")) / ours,
        "ours / floor": ours / times[FLOOR].median,
        "ours / floor, warm cache": ours / times[WARM_FLOOR].median,
    }


def plot(rows: dict[str, dict[str, float]], title: str, path: Path) -> None:
    """Bars of the medians, with quartiles."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(rows)
    medians = [rows[name]["median"] * 1e3 for name in names]
    spread = [
        [(rows[n]["median"] - rows[n]["low"]) * 1e3 for n in names],
        [(rows[n]["high"] - rows[n]["median"]) * 1e3 for n in names],
    ]
    figure, axes = pyplot.subplots(figsize=(8, 0.5 * len(names) + 1.2), layout="constrained")
    axes.barh(names, medians, xerr=spread, color=["C1" if n == OURS else "C0" for n in names])
    axes.set_xscale("log")
    axes.set_xlabel("forward + backward, ms (median, quartiles)")
    axes.set_title(title, fontsize="medium")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=4, help="time steps T (4)")
    parser.add_argument("--shape", default="32,64,32,32", help="N,C,H,W (32,64,32,32)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds that count (15)")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--sweep", action="store_true", help="also over T, batch and channels")
    parser.add_argument("--quick", action="store_true", help="a small shape, no torch.compile")
    parser.add_argument("--output", type=Path, default=Path("runs/benchmarks"))
    options = parser.parse_args()
    shape = (8, 32, 16, 16) if options.quick else tuple(map(int, options.shape.split(",")))
    device, dtype = torch.device(options.device), getattr(torch, options.dtype)
    torch.manual_seed(0)
    neurons = contenders(device, compiled=not options.quick)
    where = machine(device)
    print(json.dumps(where))

    def currents(steps: int, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.randn(steps, *shape, device=device).to(dtype)

    x = currents(options.steps, shape)
    print(f"x: {tuple(x.shape)} {dtype}, {x.nbytes / 2**20:.1f} MiB, forward + backward")
    times = measure(neurons, options.steps, shape, options.rounds, x)
    rows, promised = report(times), targets(times)
    print(*(f"{name}: {ratio:.2f}" for name, ratio in promised.items()), sep="\n")
    sweep = {}
    if options.sweep:
        quick = {name: neurons[name] for name in (OURS, "arlif LIF", *OTHERS) if name in neurons}
        cases = [(t, (32, 64, 16, 16)) for t in (1, 2, 4, 8, 16, 64)]
        cases += [(4, (n, 64, 16, 16)) for n in (1, 8, 128)]
        cases += [(4, (32, c, 16, 16)) for c in (16, 256)]
        for steps, case in cases:
            print(f"\nT = {steps}, N, C, H, W = {case}")
            times = measure(quick, steps, case, 7, currents(steps, case))
            sweep[f"{steps},{','.join(map(str, case))}"] = report(times)
    result = {
        "machine": where,
        "x": [*x.shape],
        "dtype": options.dtype,
        "rounds": options.rounds,
        "seconds": rows,
        "targets": promised,
        "sweep": sweep,
    }
    save(options.output, "neuron.json", result)
    title = f"T, N, C, H, W = {tuple(x.shape)}, {options.dtype}"
    plot(rows, title, options.output / "neuron.png")


if __name__ == "__main__":
    command(main)
