"""How fast Lava simulates: a new simulation per sample, samples back to back, samples abreast.

    python benchmarks/lava_speed.py [--samples 256] [--output FOLDER]

A rate is counted from the first finished samples to the last, so that the start of a simulation
(reading, compiling, forking; given apart) does not count, except where every sample starts one.
Every readout is compared with the reference engine's. Writes lava.json to FOLDER.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from command import command, save
from support.raw_neurons import sampled
from timing import machine

from arlif.core.integer_neurons import PRESETS
from arlif.core.maps import Conv2d, Dense, SumPool2d
from arlif.core.network import INPUT, READOUT, Input, Population, Projection, Readout
from arlif.core.network import QuantizedNetwork as Network
from arlif.core.real_neurons import RealArlif
from hw_sim.engines.integer.reference import simulate as simulate_reference
from hw_sim.engines.lava import Models, simulate

STEPS = 4
NEURON = sampled(RealArlif(0.5, 1.0, 1.0, 0.2), PRESETS["compact16"])


def population(name: str, shape: tuple[int, ...]) -> Population:
    """AR-LIF with gains that keep most neurons between silence and saturation."""
    channels = shape[0]
    return Population(
        name, shape, NEURON, np.full(channels, 40, np.uint8), 4, np.zeros(channels, np.int32)
    )


def networks() -> dict[str, Network]:
    """A small convolutional network and a small perceptron."""
    rng = np.random.default_rng(0)

    def weight(*shape: int) -> np.ndarray:
        return rng.integers(-20, 25, shape).astype(np.int8)

    pool = SumPool2d((2, 2), (2, 2))
    cnn = (
        Projection(INPUT, "a", (Conv2d(weight(8, 1, 3, 3), padding=(1, 1)),)),
        Projection("a", "b", (pool, Conv2d(weight(16, 8, 3, 3), padding=(1, 1)))),
        Projection("b", READOUT, (pool, Dense(weight(10, 16 * 7 * 7)))),
    )
    mlp = (
        Projection(INPUT, "a", (Dense(weight(128, 64)),)),
        Projection("a", READOUT, (Dense(weight(10, 128)),)),
    )
    readout = Readout(np.zeros(10, np.int32))
    image, layers = (1, 28, 28), (population("a", (8, 28, 28)), population("b", (16, 14, 14)))
    return {
        "CNN 28x28, 2 layers": Network(Input(image, 1.0, 0, 127), layers, cnn, readout, STEPS),
        "MLP 64-128-10": Network(
            Input((64,), 1.0, 0, 127), (population("a", (128,)),), mlp, readout, STEPS
        ),
    }


def timed(network: Network, inputs: np.ndarray, batch: int, models: Models) -> tuple[float, float]:
    """Seconds of one simulation and its samples per second; its readout must be the reference's."""
    start = time.perf_counter()
    seen: dict[int, float] = {}
    got = simulate(
        network,
        inputs,
        STEPS,
        batch=batch,
        models=models,
        progress=lambda done, _: seen.setdefault(done, time.perf_counter()) and None,
    )
    elapsed = time.perf_counter() - start
    assert np.array_equal(got.readout, simulate_reference(network, inputs, STEPS).readout)
    finished = [(done, when) for done, when in seen.items() if done]
    (first, since), (last, until) = finished[0], finished[-1]
    return elapsed, (last - first) / (until - since) if last > first else float("nan")


def measure(network: Network, samples: int) -> dict[str, float]:
    """Samples per second, by the way of simulating; `start` in seconds."""
    rng = np.random.default_rng(1)
    inputs = rng.integers(0, 128, (8 * samples, *network.input.shape)).astype(np.int8)

    def rate(batch: int, models: Models, used: int) -> float:
        return timed(network, inputs[:used], batch, models)[1]

    start = min(timed(network, inputs[:1], 1, Models.FAST)[0] for _ in range(3))
    return {
        "start": start,
        "new simulation per sample": 1 / start,
        "stock, back to back": rate(1, Models.STOCK, max(9, samples // 16)),
        "fast, back to back": rate(1, Models.FAST, samples),
        "fast, 32 abreast": rate(32, Models.FAST, 8 * samples),
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--output", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    found = {name: measure(network, arguments.samples) for name, network in networks().items()}
    for name, rates in found.items():
        print(name)
        for way, rate in rates.items():
            print(f"  {way}: {rate:.2f} {'s' if way == 'start' else 'samples/s'}")
    content = {"machine": machine(torch.device("cpu")), "time_steps": STEPS, "results": found}
    save(arguments.output, "lava.json", content)


if __name__ == "__main__":
    command(main)
