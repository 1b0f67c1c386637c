"""Which way to a connection's sums is fastest: products of bytes, tables of spikes, or events.

    python benchmarks/event_density.py [--rounds 3] [--threads 1]

The layers are those of VGG-SNN (arXiv:2402.04663) at the size of N-MNIST recordings, 2 x 34 x 34,
one more of 64 outputs, and two dense layers. Inputs are random spikes of a given density, 40 frames
at once. Printed is the time of the faster of products and tables over that of events, and the
density up to which the engine would follow them. Writes events.json.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from command import command, save
from timing import interleaved, machine

from arlif.core.maps import Conv2d
from arlif.kernels.byte_products import ByteProducts
from arlif.kernels.events import EventConvolution
from arlif.kernels.spike_tables import SpikeTables, applies
from hw_sim.engines.integer.ways import break_even

FRAMES = 40
CPU = torch.device("cpu")
DENSITIES = (0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5)


def layers() -> dict[str, tuple[Conv2d, int]]:
    """Every layer with the height and width of its input."""
    rng, found = np.random.default_rng(0), {}
    plan = ((2, 64, 34), (64, 64, 34), (64, 128, 34), (128, 256, 17), (256, 256, 17))
    for inputs, outputs, size in (*plan, (256, 512, 8), (512, 512, 8), (512, 512, 4)):
        weight = rng.integers(-127, 128, (outputs, inputs, 3, 3)).astype(np.int8)
        name = f"conv {inputs}-{outputs}, {size} x {size}"
        found[name] = (Conv2d(weight, padding=(1, 1)), size)
    for inputs, outputs in ((2312, 512), (512, 512)):
        weight = rng.integers(-127, 128, (outputs, inputs, 1, 1)).astype(np.int8)
        found[f"dense {inputs}-{outputs}"] = (Conv2d(weight), 1)
    return found


def measure(linear: Conv2d, size: int, rounds: int, threads: int) -> list[dict[str, float]]:
    """Milliseconds of every way at every density."""
    ways = {"products": ByteProducts(linear, (0, 1)), "events": EventConvolution(linear, (0, 1))}
    if applies(linear, (0, 1)):
        ways["tables"] = SpikeTables(linear, (0, 1))
    rows = []
    for density in DENSITIES:
        shape = (FRAMES, size, size, linear.weight.shape[1])
        x = (np.random.default_rng(1).random(shape) < density).astype(np.uint8)
        sums = [way(x, threads) for way in ways.values()]
        assert all(np.array_equal(sums[0], other) for other in sums)
        runs = {name: lambda way=way, x=x: way(x, threads) for name, way in ways.items()}
        timings = interleaved(runs, rounds, CPU)
        times = {name: timing.median * 1e3 for name, timing in timings.items()}
        dense = min(times["products"], times.get("tables", times["products"]))
        rows.append(
            {"density": density}
            | {f"{name}_ms": ms for name, ms in times.items()}
            | {"dense_over_events": dense / times["events"]}
            | {"foreign": max(timing.foreign for timing in timings.values())}
        )
    return rows


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    results = {}
    print(" " * 22, *(f"{100 * density:6.1f}%" for density in DENSITIES))
    for name, (linear, size) in layers().items():
        results[name] = measure(linear, size, arguments.rounds, arguments.threads)
        ratios = (f"{row['dense_over_events']:6.2f}x" for row in results[name])
        print(f"{name:22}", *ratios, f"   {100 * break_even(linear):.0f}%")
    content = {"machine": machine(CPU), "results": results}
    save(arguments.output, "events.json", content)


if __name__ == "__main__":
    command(main)
