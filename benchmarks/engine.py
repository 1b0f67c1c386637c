"""How fast the integer engine evaluates networks: against torch float, Lava and the floor.

    python benchmarks/engine.py [--rounds 7] [--threads 1] [--lava]

Networks have random weights and batch-norm statistics. The floor (floor.py) is the larger of two
times: the work of a batch over the highest rate of products that this machine reached in the same
rounds, of torch in float32 and int8 and of our own kernels, and the bytes that must be moved over
the bandwidth of a copy. Neurons and Python are free in it; each row says which of the two applies.
A time below its floor cannot be: then the benchmark failed, and exits with 1. `arlif.ARLIF` runs
our fused float kernel, so "torch float" is torch's convolutions with that neuron; "snnTorch" is the
same small network of its own Leaky neurons. --lava adds Lava's own models and our fast ones (slow).
Writes engine.json.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from command import command, save
from floor import COPIED, Floor, beaten, copy, peaks, work_of
from timing import interleaved, machine
from torch import Tensor, nn

from arlif import layers
from arlif.core.network import QuantizedNetwork
from arlif.networks import NetworkConfig, NeuronConfig, PreActResNet, build
from arlif.neurons import ARLIF, LIF
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from hw_sim.engines.integer.fast import FastEngine

FAST, FLOAT, COPY = "integer engine", "torch float", "copy"
PRINTED = (
    *("images_per_second_median", "integer_engine_over", "spikes_per_neuron_and_step", "ways"),
    *("floor_images_per_second", "floor_is_set_by", "share_of_floor"),
)


@dataclass(frozen=True)
class Case:
    """One network and how much of it is run at once."""

    module: nn.Module
    shape: tuple[int, int, int]
    time_steps: int
    batch: int

    def images(self) -> Tensor:
        """Real inputs [1, N, C, H, W]."""
        generator = torch.Generator().manual_seed(0)
        return torch.rand(1, self.batch, *self.shape, generator=generator)

    def quantized(self) -> QuantizedNetwork:
        """Eight-bit weights, 16-bit states."""
        linear = linearize(self.module, self.shape)
        source = calibrate_input(self.images().numpy(), self.shape, linear.static)
        return quantize(linear, source, Precision(), self.time_steps)


def randomised(module: nn.Module) -> nn.Module:
    """Batch-norm statistics and scales that make neurons fire."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.2, 0.2)
            nn.init.uniform_(layer.running_var, 0.05, 0.3)
            nn.init.uniform_(layer.weight, 0.5, 1.0)
            nn.init.uniform_(layer.bias, -0.2, 0.3)
    return module.eval()


def stack(
    channels: int,
    plan: list[tuple[int, int]],
    pool: bool,
    features: int,
    time_steps: int,
    neuron: Callable[[], nn.Module] = ARLIF,
) -> nn.Module:
    """Convolutions 3x3 of (channels, stride), each with batch norm and neurons; a linear head."""
    net = nn.Sequential()
    for width, stride in plan:
        net.append(layers.Conv2d(channels, width, 3, stride, 1)).append(layers.BatchNorm2d(width))
        if len(net) == 2:
            net.append(layers.Repeat(time_steps))
        net.append(neuron())
        if pool:
            net.append(layers.AvgPool2d(2))
        channels = width
    return net.append(layers.Flatten()).append(layers.Linear(features, 10))


def cases() -> dict[str, Case]:
    """The networks."""
    torch.manual_seed(0)
    small, vgg = [(16, 1), (32, 1)], [(c, s) for c in (64, 128, 256) for s in (1, 2)]
    resnet = NetworkConfig(PreActResNet(), NeuronConfig(), (3, 32, 32), 10, 4, static=True)
    return {
        "small, pooled: 28x28, conv 16, pool, conv 32, pool, dense 10": Case(
            randomised(stack(1, small, True, 32 * 7 * 7, 10)), (1, 28, 28), 10, 32
        ),
        "small, pooled, LIF: the neuron that rivals were timed with": Case(
            randomised(stack(1, small, True, 32 * 7 * 7, 10, LIF)), (1, 28, 28), 10, 32
        ),
        "small, unpooled, LIF: 28x28, conv 16, conv 32, dense 10": Case(
            randomised(stack(1, small, False, 32 * 28 * 28, 10, LIF)), (1, 28, 28), 10, 32
        ),
        "small, unpooled: 28x28, conv 16, conv 32, dense 10": Case(
            randomised(stack(1, small, False, 32 * 28 * 28, 10)), (1, 28, 28), 10, 32
        ),
        "VGG-sized: 64-64s2-128-128s2-256-256s2-10": Case(
            randomised(stack(3, vgg, False, 256 * 4 * 4, 4)), (3, 32, 32), 4, 32
        ),
        "ResNet-18": Case(randomised(build(resnet)), (3, 32, 32), 4, 32),
    }


def snntorch_small(pool: bool, batch: int = 32) -> Callable[[], object]:
    """The small network of snnTorch's Leaky neurons, one convolution per step."""
    import snntorch

    size = 7 if pool else 28
    first, second = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1)
    head, shrink = nn.Linear(32 * size * size, 10), nn.AvgPool2d(2) if pool else nn.Identity()
    neurons = [snntorch.Leaky(beta=0.5) for _ in range(2)]
    x = torch.rand(batch, 1, 28, 28)

    @torch.no_grad()
    def run() -> Tensor:
        a, b = (neuron.init_leaky() for neuron in neurons)
        total = torch.zeros(batch, 10)
        for _ in range(10):
            spikes, a = neurons[0](first(x), a)
            spikes, b = neurons[1](second(shrink(spikes)), b)
            total += head(shrink(spikes).flatten(1))
        return total

    return run


def measure(name: str, case: Case, rounds: int, lava: bool) -> dict[str, object]:
    """Rates in images per second, and what they are relative to each other and the floor."""
    network, images = case.quantized(), case.images()
    raw = network.input.encode(images[0].numpy())
    engine = FastEngine(network)
    runs: dict[str, Callable[[], object]] = {
        FAST: lambda: engine.simulate(raw, case.time_steps),
        FLOAT: torch.no_grad()(lambda: case.module(images)),
    }
    if name.startswith("small") and find_spec("snntorch"):
        runs["snnTorch float"] = snntorch_small("unpooled" not in name)
    known = peaks(torch.get_num_threads())
    timings = interleaved(
        runs | {n: run for n, (_, run) in known.items()} | {COPY: copy()},
        rounds,
        torch.device("cpu"),
    )
    fastest = {n: size / timings[n].low for n, (size, _) in known.items()}
    rates = {n: case.batch / timings[n].median for n in runs}
    if lava:
        rates |= lava_rates(network, raw, case.time_steps)
    done = engine.simulate(raw, case.time_steps)
    work = work_of(network, engine, done, case.batch)
    peak, bandwidth = max(fastest.values()), COPIED / timings[COPY].low
    floor = Floor.of(work, peak, bandwidth)
    return {
        "time_steps": case.time_steps,
        "batch": case.batch,
        "spikes_per_neuron_and_step": done.rates(case.time_steps),
        "ways": {f"{a} to {b}": dict(ways) for (b, a), ways in engine.ways().items()},
        "products_per_image": work.products / case.batch,
        "bytes_per_image": work.moved / case.batch,
        "peak_products_per_second": fastest,
        "copied_bytes_per_second": bandwidth,
        "images_per_second_median": rates,
        "floor_images_per_second": case.batch / floor.seconds,
        "floor_is_set_by": floor.bound,
        "share_of_floor": floor.share(timings[FAST].low),
        "integer_engine_over": {n: rates[FAST] / rate for n, rate in rates.items() if n != FAST},
        "spread": {n: str(t) for n, t in timings.items()},
    }


def lava_rates(network: QuantizedNetwork, raw: np.ndarray, steps: int) -> dict[str, float]:
    """Images per second of Lava, streaming, its start left out; readouts must be equal."""
    from hw_sim.engines.lava import Models, simulate

    engine = FastEngine(network)

    def seconds(samples: int, batch: int, models: Models) -> float:
        start = time.perf_counter()
        got = simulate(network, raw[:samples], steps, batch=batch, models=models)
        elapsed = time.perf_counter() - start
        assert np.array_equal(got.readout, engine.simulate(raw[:samples], steps).readout)
        return elapsed

    rates = {}
    for name, models, batch, few, many in (
        ("Lava, its own models", Models.STOCK, 1, 1, 3),
        ("Lava, fast models", Models.FAST, 8, 8, 32),
    ):
        rates[name] = (many - few) / (seconds(many, batch, models) - seconds(few, batch, models))
    return rates


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--lava", action="store_true")
    parser.add_argument("--only", default="", help="part of a network's name")
    parser.add_argument("--output", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    results = {}
    for name, case in cases().items():
        if arguments.only not in name:
            continue
        found = measure(name, case, arguments.rounds, arguments.lava and "VGG" in name)
        results[name] = found
        print(name)
        for key in PRINTED:
            print(f"  {key}: {found[key]}")
    content = {"machine": machine(torch.device("cpu")), "results": results}
    save(arguments.output, "engine.json", content)
    if failed := beaten(results):
        sys.exit(f"faster than the floor, which cannot be: {', '.join(failed)}; measure again")


if __name__ == "__main__":
    command(main)
