"""How fast exported C runs one image on one core of a PC: beside snnTorch, and beside a floor.

    python benchmarks/deployed.py [--rounds 9]

The network is 28x28, conv 16, pool, conv 32, pool, dense 10, T = 10, with AR-LIF and with LIF, of
random weights; the images are uniform noise. snnTorch runs the same layers with its Leaky neurons,
one image at a time, with one thread. The C is what `arlif export --c` writes, compiled with
-O3 -march=native by $CC or cc, and its logits are held to the reference engine. All take turns in
one process, which keeps to one core; what counts is its CPU time, so that other programs hardly
matter. The floor: every addition of a weight by a spike, every product of the static input and
every operation of every neuron at the highest rate at which this core adds numbers of 16 bits in
registers, and every state read and written once a step at the rate of a copy. Writes deployed.json.
"""

import argparse
import ctypes
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import torch
from command import command, save
from engine import cases, snntorch_small
from timing import machine

from arlif.core.maps import chain_shape
from arlif.core.network import INPUT, QuantizedNetwork
from export.c import COptions, Style, write_c
from export.c.c_manifest import read_manifest
from export.c.c_types import Constants
from export.c.neuron_code import neuron_code
from export.c.program import Plan
from hw_sim.engines.deployed.toolchain import C_COMPILER, run_tool, version
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record

CPU = torch.device("cpu")
FLAGS = ("-std=c99", "-O3", "-march=native", "-fPIC", "-shared")
NETWORKS = {"AR-LIF": "small, pooled: ", "LIF": "small, pooled, LIF: "}
"""By neuron, how its case in engine.py begins."""
NEEDED = {"AR-LIF": 3.0, "LIF": 6.0}
"""How many times as fast as snnTorch the fastest style has to be."""
NUMBERS, COPIED = 256, 1 << 15
"""Numbers of 16 bits that lie in registers, and those whose copy is timed."""
PEAK = f"""
#include <stdint.h>
static int16_t numbers[{NUMBERS}], from[{COPIED}], to[{COPIED}];
void add(long rounds, int16_t a, int16_t b)
{{
    int16_t sums[{NUMBERS}];
    for (int k = 0; k < {NUMBERS}; k++) sums[k] = numbers[k];
    for (long r = 0; r < rounds; r++)
        for (int k = 0; k < {NUMBERS}; k++) sums[k] = (int16_t)((sums[k] + a) ^ b);
    for (int k = 0; k < {NUMBERS}; k++) numbers[k] = sums[k];
}}
void copy(long rounds)
{{
    for (long r = 0; r < rounds; r++) {{
        for (int k = 0; k < {COPIED}; k++) to[k] = from[k];
        __asm__ volatile("" ::: "memory");
    }}
}}
"""
ADDED, COPIES = 20000, 200
TURN = 0.05
"""Seconds that a turn lasts at least."""


@dataclass(frozen=True)
class Exported:
    """A compiled network.c. state_bytes: of states and held currents."""

    library: ctypes.CDLL
    memory: ctypes.Array
    inputs: list[ctypes.Array]
    classes: int
    state_bytes: int

    def run(self, image: int) -> None:
        """One image."""
        self.library.arlif_run(self.memory, self.inputs[image % len(self.inputs)])

    def logits(self, image: int) -> list[int]:
        """Of one image."""
        self.run(image)
        return self.library.arlif_logits(self.memory)[: self.classes]


def compiled(source: Path, folder: Path) -> ctypes.CDLL:
    """A C file as a library in this process."""
    target = folder / f"{source.parent.name}-{source.stem}.so"
    run_tool([*C_COMPILER.require(), *FLAGS, str(source), "-o", str(target)], folder)
    return ctypes.CDLL(str(target))


def exported(network: QuantizedNetwork, raw: np.ndarray, style: Style, folder: Path) -> Exported:
    """A network's C in one style, ready to run."""
    path = folder / style / "network.c"
    write_c(network, path, COptions(style, vectors=1))
    manifest, library = read_manifest(path.parent), compiled(path, folder)
    library.arlif_logits.restype = ctypes.POINTER(ctypes.c_int32)
    by_pixel = raw.transpose(0, 2, 3, 1)
    inputs = [ctypes.create_string_buffer(image.tobytes()) for image in by_pixel]
    size = sum(manifest.memory.values()) + 4096
    held = {f"p{k}_{s}" for k, p in enumerate(network.populations) for s in p.neuron.variables}
    states = sum(bytes for name, bytes in manifest.memory.items() if name in held)
    found = Exported(library, ctypes.create_string_buffer(size), inputs, manifest.classes, states)
    want = reference.simulate(network, raw[:4], network.time_steps, Record()).readout
    assert [found.logits(k) for k in range(4)] == want.tolist(), f"{style} differs"
    return found


def additions(network: QuantizedNetwork, raw: np.ndarray) -> float:
    """Weights that an image's spikes add, and products of its static input, mean of images."""
    counts = reference.simulate(network, raw, network.time_steps, Record()).counts
    total = 0.0
    for projection in network.projections:
        shape = network.shape(projection.source)
        reached = np.ones(chain_shape(projection.maps, shape), np.int64)
        for place in reversed(range(len(projection.maps))):
            before = chain_shape(projection.maps[:place], shape)
            reached = projection.maps[place].spread(reached, before).reshape(before)
        if projection.source == INPUT:
            total += float(reached.sum())
        else:
            total += float((counts[projection.source].mean(0) * reached).sum())
    return total


def operations(network: QuantizedNetwork) -> int:
    """Of neurons and their currents in one image; a current that never changes is free."""
    total, plan = 0, Plan(network)
    for population in network.populations:
        ranges = plan.ranges(population.name)
        code = neuron_code(population, ranges, Constants(), "p")
        moving = plan.incoming(population.name, static=False)
        count = len(code.step) + (len(code.current) if moving else 0)
        total += count * prod(population.shape) * network.time_steps
    return total


def cpu_seconds(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """CPU time of every run, in turns; the first round does not count."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            begin, count = time.process_time(), 0
            while time.process_time() - begin < TURN:
                run()
                count += 1
            found[name].append((time.process_time() - begin) / count)
    return {name: sorted(seconds[1:]) for name, seconds in found.items()}


def one_core() -> None:
    """Keep this process to one core."""
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def turns(run: Callable[[int], None]) -> Callable[[], None]:
    """One image after another."""
    state = {"image": 0}

    def next_image() -> None:
        run(state["image"])
        state["image"] += 1

    return next_image


def measure(neuron: str, rounds: int, folder: Path) -> dict[str, object]:
    """Milliseconds an image, ratios and the floor; prints them."""
    case = next(c for name, c in cases().items() if name.startswith(NETWORKS[neuron]))
    network = case.quantized()
    raw = network.input.encode(case.images()[0].numpy())
    programs = {style: exported(network, raw, style, folder) for style in Style if style != "auto"}
    (folder / "peak.c").write_text(PEAK)
    peak = compiled(folder / "peak.c", folder)
    runs: dict[str, Callable[[], object]] = {
        "snnTorch Leaky": snntorch_small(True, 1),
        **{f"C, {style}": turns(program.run) for style, program in programs.items()},
        "adding": lambda: peak.add(ctypes.c_long(ADDED), ctypes.c_int16(3), ctypes.c_int16(5)),
        "copying": lambda: peak.copy(ctypes.c_long(COPIES)),
    }
    seconds = cpu_seconds(runs, rounds)
    adding = seconds.pop("adding")[0] / (2 * NUMBERS * ADDED)
    copying = seconds.pop("copying")[0] / (2 * COPIED * COPIES)
    sums, steps = additions(network, raw[:8]), operations(network)
    states = programs[Style.EVENT].state_bytes * network.time_steps
    floor = (sums + steps) * adding + states * copying
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    slow = medians["snnTorch Leaky"]
    best = min(median for name, median in medians.items() if name.startswith("C, "))
    print(f"{neuron}: {sum(prod(p.shape) for p in network.populations):,} neurons, T = 10")
    for name, values in seconds.items():
        spread = f"[{values[0] * 1e3:.3f}, {values[-1] * 1e3:.3f}]"
        ratio = f"{slow / medians[name]:5.2f} x snnTorch"
        print(f"  {name:15} {medians[name] * 1e3:7.3f} ms {spread:18} {ratio}")
    print(f"  {'floor':15} {floor * 1e3:7.3f} ms; the fastest takes {best / floor:.1f} times that")
    if slow / best < NEEDED[neuron]:
        print(f"  too slow: {NEEDED[neuron]:g} times snnTorch is asked for")
    return {
        "ms": {name: median * 1e3 for name, median in medians.items()},
        "ms_least_and_most": {n: [v[0] * 1e3, v[-1] * 1e3] for n, v in seconds.items()},
        "over_snntorch": {name: slow / median for name, median in medians.items()},
        "needed": NEEDED[neuron],
        "additions_per_image": sums,
        "neuron_operations_per_image": steps,
        "state_bytes_per_image": 2 * states,
        "floor_ms": floor * 1e3,
        "best_over_floor": best / floor,
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--output", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    one_core()
    about = machine(CPU) | {"compiler": version(C_COMPILER.require()), "flags": " ".join(FLAGS)}
    print(json.dumps(about, indent=2))
    results = {}
    for neuron in NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            results[neuron] = measure(neuron, arguments.rounds, Path(folder))
    content = {"machine": about, "results": results}
    save(arguments.output, "deployed.json", content)


if __name__ == "__main__":
    command(main)
