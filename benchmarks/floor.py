"""What no program can beat on a machine: the work of a network over the best measured rates.

Part of engine.py.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from arlif.core.maps import Conv2d, Dense
from arlif.core.network import INPUT, QuantizedNetwork
from arlif.kernels import spike_tables
from arlif.kernels.byte_products import ByteProducts
from arlif.kernels.spike_tables import SpikeTables
from hw_sim.engines.integer.channels_last import as_window
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.simulation import Simulation

COPIED = 1 << 26
"""Bytes of the copy that bandwidth is measured with."""


@dataclass(frozen=True)
class Work:
    """What one batch needs at least: products that were made, or events that were added; bytes."""

    products: float
    moved: float


@dataclass(frozen=True)
class Floor:
    """The least seconds of a batch, and what sets them: products, or memory."""

    seconds: float
    bound: str

    @classmethod
    def of(cls, work: Work, products: float, bandwidth: float) -> "Floor":
        """The floor at these rates, in products and bytes per second."""
        times = {"products": work.products / products, "memory": work.moved / bandwidth}
        bound = max(times, key=lambda name: times[name])
        return cls(times[bound], bound)

    def share(self, seconds: float) -> float:
        """Which part of a measured time it is; above 1 the measurement is wrong."""
        return self.seconds / seconds


def beaten(results: dict[str, dict[str, object]]) -> list[str]:
    """The networks whose time is below their floor, which cannot be: the benchmark failed."""
    return [name for name, row in results.items() if float(str(row["share_of_floor"])) > 1]


def work_of(network: QuantizedNetwork, engine: FastEngine, done: Simulation, batch: int) -> Work:
    """The work of one simulation `done` of a batch, by the ways that the engine took.

    Where it followed events, only their additions count. A frame that is the same at every step is
    multiplied once, and the readout multiplies spikes that were summed. Weights, inputs and the
    spikes of every neuron that are returned must be moved at least once.
    """
    ways, products, moved = engine.ways(), 0.0, 0.0
    for projection in network.projections:
        once = network.input.static and projection.source == INPUT
        once |= projection.target not in engine.compiled.sums
        frames = batch * (1 if once else network.time_steps)
        shape = network.shape(projection.entering)
        for place, linear in enumerate(projection.maps):
            entered, shape = shape, linear.output_shape(shape)
            if not isinstance(linear, Conv2d | Dense):
                continue
            moved += linear.weight.size
            dense = frames * float(np.prod(shape)) * linear.weight[0].size
            followed = ways.get((projection.target, projection.entering), {}).get("events", 0)
            if followed and place == 0 and projection.entering in done.counts:
                dense = min(dense, _additions(linear, done.counts[projection.entering], entered))
            elif followed:
                dense = 0.0
            products += dense
    moved += batch * float(np.prod(network.input.shape))
    moved += sum(counts.size for counts in done.spikes.values())
    return Work(products, moved)


def _additions(linear: Conv2d | Dense, counts: np.ndarray, shape: tuple[int, ...]) -> float:
    """How many weights the events of a source add, from its spikes [N, *shape] over time."""
    window = as_window(linear)
    size = shape[1:] if isinstance(linear, Conv2d) else (1, 1)
    images = counts.reshape(len(counts), window.weight.shape[1], *size)
    of_pixels = images.sum((0, 1), dtype=np.float64)[None, None]
    ones = Conv2d(
        np.ones((1, 1, *window.weight.shape[2:]), np.int8),
        *(window.stride, window.padding, window.dilation),
    )
    return float(ones(of_pixels).sum()) * window.weight.shape[0]


def peaks(threads: int) -> dict[str, tuple[float, Callable[[], object]]]:
    """Ways to multiply, with how much each multiplies; the best of them is the peak.

    Matrix products of torch in float32 and int8, and our own kernels on layers of ResNet-18.
    """
    found: dict[str, tuple[float, Callable[[], object]]] = {}
    for rows, inner, columns in ((1024, 1024, 1024), (4096, 576, 64), (4096, 2304, 256)):
        size = float(rows * inner * columns)
        a, b = torch.ones(rows, inner), torch.ones(inner, columns)
        found[f"float32 {rows} x {inner} x {columns}"] = (size, lambda a=a, b=b: a @ b)
        c, d = a.to(torch.int8), b.t().contiguous().to(torch.int8).t()
        found[f"int8 {rows} x {inner} x {columns}"] = (size, lambda c=c, d=d: torch._int_mm(c, d))
    rng = np.random.default_rng(0)
    for channels, height in ((64, 32), (128, 16), (256, 8)):
        weight = rng.integers(-20, 20, (channels, channels, 3, 3)).astype(np.int8)
        linear = Conv2d(weight, padding=(1, 1))
        x = (rng.random((40, height, height, channels)) < 0.2).astype(np.uint8)
        size = float(x.size * weight[0].size)
        kernels = {"byte products": ByteProducts(linear, (0, 1))}
        if spike_tables.applies(linear, (0, 1)):
            kernels["spike tables"] = SpikeTables(linear, (0, 1))
        for name, kernel in kernels.items():
            found[f"{name} {channels}, {height} x {height}"] = (
                size,
                lambda kernel=kernel, x=x: kernel(x, threads),
            )
    return found


def copy() -> Callable[[], object]:
    """Reads and writes COPIED bytes."""
    source = torch.ones(COPIED, dtype=torch.uint8)
    target = torch.empty_like(source)
    return lambda: target.copy_(source)
