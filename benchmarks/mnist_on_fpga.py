"""MNIST as hardware: what it takes of a 7-series part, and every spike of every test image.

    arlif data get mnist
    arlif train RUN --recipe mnist && arlif quantize RUN && arlif export RUN --verilog
    python benchmarks/mnist_on_fpga.py RUN [--images 10000] [--data FOLDER] [--output FOLDER]

yosys counts cells, with multipliers and without. Verilator runs the exported project clock by clock
on the first test images; all sums, decisions, spikes and states are compared with the integer
engine's. Writes mnist-fpga.json to FOLDER and ends with 1 where anything differs.
"""

import argparse
import json
import resource
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from command import command, save
from numpy.typing import NDArray
from timing import machine

from arlif.artifacts import NIR
from arlif.base.cut import cut
from arlif.core.network import QuantizedNetwork
from arlif.run_folder import Run
from arlif.training import read_recipe
from export.file_formats import VERILOG
from export.nir import read_nir
from hw_sim.comparison.divergence import compare
from hw_sim.engines.deployed.fpga import synthesized
from hw_sim.engines.deployed.fpga_devices import XC7, Family
from hw_sim.engines.deployed.verilog_engine import Hardware, built
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.simulation import Record, raw_inputs
from hw_sim.pipeline.samples import Samples, load_samples

BATCH = 100
FAMILIES = {
    "with multipliers": XC7,
    "without multipliers": replace(XC7, synthesis=f"{XC7.synthesis} -nodsp"),
}


@dataclass
class Tally:
    """What was compared, and how much of it differs. first: in words, where anything does."""

    images: int = 0
    correct: int = 0
    decisions_different: int = 0
    sums: int = 0
    sums_different: int = 0
    spikes: int = 0
    spikes_different: int = 0
    states: int = 0
    states_different: int = 0
    fired: int = 0
    clocks: list[NDArray[np.int64]] = field(default_factory=list)
    seconds: float = 0.0
    first: str = ""

    def add(self, network: QuantizedNetwork, hardware: Hardware, samples: Samples) -> None:
        """Run some images on both and compare them."""
        assert samples.labels is not None
        record = Record.everything(network)
        inputs = raw_inputs(network, samples.real)
        want = FastEngine(network).simulate(inputs, network.time_steps, record)
        begin = children_seconds()
        got, clocks = hardware.simulate(inputs, record)
        self.seconds += children_seconds() - begin
        found = compare(network, want, got)
        self.images += len(samples)
        self.correct += got.correct(samples.labels)
        self.decisions_different += found.decisions_different
        self.sums += want.readout.size
        self.sums_different += int((want.readout != got.readout).sum())
        self.spikes += found.spikes_compared
        self.spikes_different += found.spikes_different
        self.states += found.states_compared
        self.states_different += found.states_different
        self.fired += sum(int(counts.sum()) for counts in got.spikes.values())
        self.clocks.append(clocks)
        if found.first and not self.first:
            self.first = str(found.first)

    def to_json(self) -> dict[str, object]:
        """As plain data, means instead of sums."""
        clocks = np.concatenate(self.clocks)
        return {
            **{k: v for k, v in asdict(self).items() if k not in ("clocks", "fired", "seconds")},
            "accuracy": self.correct / self.images,
            "spikes_per_image": self.fired / self.images,
            "clocks_per_image": {
                "least": int(clocks.min()),
                "mean": float(clocks.mean()),
                "most": int(clocks.max()),
            },
            "verilator_cpu_seconds_per_image": self.seconds / self.images,
        }


def children_seconds() -> float:
    """CPU seconds of programs that were started here and have ended."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime


def cells(path: Path, family: Family) -> dict[str, int]:
    """What yosys counts of a family."""
    with tempfile.TemporaryDirectory() as folder:
        return synthesized(path, family, Path(folder))


def compared(path: Path, network: QuantizedNetwork, samples: Samples) -> Tally:
    """All samples on hardware and engine."""
    assert samples.labels is not None
    tally = Tally()
    with built(path) as hardware:
        for part in cut(len(samples), BATCH):
            tally.add(network, hardware, Samples(samples.real[:, part], samples.labels[part]))
            if part.stop % 1000 == 0:
                print(f"{part.stop} images: {tally.first or 'all is equal'}", flush=True)
    return tally


def main() -> None:
    """Count, run, compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--output", type=Path, default=Path("runs/benchmarks"))
    options = parser.parse_args()
    run = Run(options.run)
    path, network = run.require(VERILOG), read_nir(run.require(NIR))
    samples = load_samples(read_recipe(run.folder), options.data, options.images)
    with ThreadPoolExecutor(len(FAMILIES)) as pool:
        counts = [pool.submit(cells, path, family) for family in FAMILIES.values()]
        counted = {name: count.result() for name, count in zip(FAMILIES, counts, strict=True)}
    print(counted, flush=True)
    tally = compared(path, network, samples)
    result = {
        "machine": machine(torch.device("cpu")),
        "neurons": {p.name: int(np.prod(p.shape)) for p in network.populations},
        "time_steps": network.time_steps,
        "cells": counted,
        **tally.to_json(),
    }
    print(json.dumps(result, indent=2))
    save(options.output, "mnist-fpga.json", result)
    sys.exit(int(bool(tally.first)))


if __name__ == "__main__":
    command(main)
