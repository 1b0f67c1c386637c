"""Where following events is faster than multiplying everything: the break-even density.

    python benchmarks/event_density.py [--rounds 3] [--threads 1]

The layers are those of VGG-SNN (arXiv:2402.04663) at the size of N-MNIST recordings, 2 x 34 x 34,
one more of 64 outputs, and two dense layers. Inputs are random spikes of a given density, 40 frames
at once. "products" is what the engine does otherwise: products of bytes.
Writes events.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from timing import interleaved, machine
from torch import Tensor

from arlif.core.maps import Conv2d, Dense, LinearMap
from hw_sim.engines.integer.convolution import multiply_bytes
from hw_sim.engines.integer.event_driven import follow_events

FRAMES = 40
CPU = torch.device("cpu")
DENSITIES = (0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5)


def layers() -> dict[str, tuple[LinearMap, tuple[int, ...]]]:
    """Every layer with the shape of its input."""
    rng, found = np.random.default_rng(0), {}
    plan = ((2, 64, 34), (64, 64, 34), (64, 128, 34), (128, 256, 17), (256, 256, 17))
    for inputs, outputs, size in (*plan, (256, 512, 8), (512, 512, 8), (512, 512, 4)):
        weight = rng.integers(-127, 128, (outputs, inputs, 3, 3)).astype(np.int8)
        name = f"conv {inputs}-{outputs}, {size} x {size}"
        found[name] = (Conv2d(weight, padding=(1, 1)), (inputs, size, size))
    for inputs, outputs in ((2312, 512), (512, 512)):
        weight = rng.integers(-127, 128, (outputs, inputs)).astype(np.int8)
        found[f"dense {inputs}-{outputs}"] = (Dense(weight), (inputs,))
    return found


def spikes(shape: tuple[int, ...], density: float) -> Tensor:
    """Random frames, channels last in memory as the neurons leave them."""
    drawn = np.random.default_rng(1).random((FRAMES, *shape[1:], shape[0])) < density
    return torch.from_numpy(drawn.astype(np.uint8)).movedim(-1, 1)


def measure(linear: LinearMap, shape: tuple[int, ...], rounds: int) -> list[dict[str, float]]:
    """Milliseconds of both ways at every density."""
    multiply, follow, rows = multiply_bytes(linear, (0, 1)), follow_events(linear), []
    for density in DENSITIES:
        x = spikes(shape, density)
        assert torch.equal(multiply(x).int(), follow(x))
        runs = {"products": lambda x=x: multiply(x), "events": lambda x=x: follow(x)}
        timings = interleaved(runs, rounds, CPU)
        times = {name: timing.median * 1e3 for name, timing in timings.items()}
        rows.append(
            {"density": density}
            | {f"{name}_ms": ms for name, ms in times.items()}
            | {"products_over_events": times["products"] / times["events"]}
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
    for name, (linear, shape) in layers().items():
        results[name] = measure(linear, shape, arguments.rounds)
        print(f"{name:22}", *(f"{row['products_over_events']:6.2f}x" for row in results[name]))
    content = {"machine": machine(CPU), "results": results}
    (arguments.output / "events.json").write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
