"""The Verilog engine: the exported project in Verilator, clock by clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import SimulationError, require
from arlif.base.options import NoOptions
from arlif.base.scratch import scratch
from export.verilog.manifest import NAME, Manifest, Tapped, read_manifest
from export.verilog.top import TAPS, TOP
from hw_sim.engines.deployed.toolchain import VERILATOR, run_tool
from hw_sim.engines.deployed.verilog_bench import bench
from hw_sim.engines.in_batches import in_batches
from hw_sim.engines.simulation import (
    Record,
    Simulation,
    Trace,
    check_request,
    count_type,
    raw_inputs,
)
from hw_sim.engines.work import Outcome, Work


def run(work: Work[NoOptions]) -> Outcome:
    """The project of an exported network.v; every spike, every state and the clocks."""
    with built(work.path) as hardware:
        known = hardware.manifest
        require(
            work.time_steps == known.time_steps,
            f"{work.path} was made for T = {known.time_steps}, and T = {work.time_steps} is asked "
            "for; its counters have T built in",
        )
        inputs = raw_inputs(known, work.real)
        cycles: list[NDArray[np.int64]] = []

        def part(raw: NDArray[Any], record: Record) -> Simulation:
            done, clocks = hardware.simulate(raw, record)
            cycles.append(clocks)
            return done

        names = tuple(p.name for p in known.populations)
        simulation = in_batches(
            part, known.input, inputs, Record(names, states=True), work.traced, work.progress
        )
        return Outcome(
            simulation,
            known.network,
            known.input.clipped(work.real),
            {"clocks_per_inference": float(np.concatenate(cycles).mean())},
        )


@dataclass(frozen=True)
class Hardware:
    """A compiled project. program: what runs it."""

    manifest: Manifest
    program: Path
    folder: Path

    def simulate(
        self, inputs: NDArray[Any], record: Record = Record(), pauses: int = 0
    ) -> tuple[Simulation, NDArray[np.int64]]:
        """Run raw inputs; also the clocks from the first input to the last logit, int64 [N].

        pauses: percent of the clocks in which the input waits, and those in which nobody takes the
        output.
        """
        known = self.manifest
        names = [p.name for p in known.populations]
        check_request(known.input, names, inputs, known.time_steps, record)
        framed = inputs[None] if known.input.static else inputs
        rows = np.moveaxis(framed, 1, 0)  # [N, frames, *shape]
        if rows.ndim == 5:
            rows = np.moveaxis(rows, 2, -1)
        given, written = self.folder / "in.bin", self.folder / "out.bin"
        np.ascontiguousarray(rows, np.int8).tofile(given)
        run_tool([str(self.program), str(given), str(written), str(pauses)], self.folder)
        found = np.fromfile(written, self._layout())
        require(len(found) == len(rows), f"{self.program.name} stopped early", SimulationError)
        return self._simulation(found, record), found["clocks"].copy()

    def _layout(self) -> np.dtype[np.void]:
        """What the program writes of a sample."""
        known = self.manifest
        parts: list[tuple[str, Any, tuple[int, ...]]] = [
            ("clocks", np.int64, ()),
            ("decision", np.int64, ()),
            ("logits", np.int64, (known.classes,)),
        ]
        for k, tapped in enumerate(known.populations):
            updates = prod(tapped.shape) * known.time_steps
            parts.append((f"spikes{k}", np.uint8, (updates,)))
            parts.append((f"states{k}", np.int32, (updates, len(tapped.states))))
        return np.dtype(parts)

    def _simulation(self, found: NDArray[np.void], record: Record) -> Simulation:
        steps = self.manifest.time_steps
        counts: dict[str, NDArray[np.integer]] = {}
        traces: dict[str, Trace] = {}
        for k, tapped in enumerate(self.manifest.populations):
            spikes = in_order(found[f"spikes{k}"], tapped, steps).astype(bool)
            counts[tapped.name] = spikes.sum(0, dtype=count_type(steps))
            if tapped.name in record.layers:
                states = {
                    name: in_order(found[f"states{k}"][..., n], tapped, steps)
                    for n, name in enumerate(tapped.states if record.states else ())
                }
                traces[tapped.name] = Trace(spikes, states)
        decisions = np.argmax(found["logits"], axis=1)
        require(
            np.array_equal(decisions, found["decision"]),
            "the hardware's decision is not the largest of its own logits",
            SimulationError,
        )
        return Simulation(found["logits"].copy(), counts, traces)


def in_order(updates: NDArray[Any], tapped: Tapped, steps: int) -> NDArray[Any]:
    """[T, N, *shape] of updates [N, T * neurons]: channels come before columns before rows."""
    shape = tapped.shape
    if len(shape) == 3:
        values = updates.reshape(len(updates), steps, *shape[1:], shape[0])
        return np.ascontiguousarray(values.transpose(1, 0, 4, 2, 3))
    return np.ascontiguousarray(updates.reshape(len(updates), steps, *shape).swapaxes(0, 1))


@contextmanager
def built(path: Path) -> Iterator[Hardware]:
    """The project of a network.v, compiled by Verilator in a folder that is gone afterwards.

    Raises FormatError where the project is damaged, SimulationError where it cannot be built.
    """
    known = read_manifest(path.parent / NAME)
    verilator = VERILATOR.require()
    with scratch() as folder:
        for memory in path.parent.glob("*.hex"):
            (folder / memory.name).write_bytes(memory.read_bytes())
        (folder / "bench.cpp").write_text(bench(known), encoding="utf-8")
        options = ["--cc", "--exe", "--build", "-O3", "-j", "2", "-Wno-fatal", f"+define+{TAPS}"]
        options += ["-CFLAGS", "-O1", "--top-module", TOP, "-Mdir", "made", "-o", "network"]
        library = (path.parent / "lib").resolve()
        sources = ["-y", str(library), str(path.resolve()), "bench.cpp"]
        run_tool([*verilator, *options, *sources], folder, time_limit_s=1800.0)
        yield Hardware(known, folder / "made" / "network", folder)
