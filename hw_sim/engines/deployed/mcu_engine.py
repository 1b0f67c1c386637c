"""The C that is shipped, on emulated microcontrollers: ziglang's Clang compiles, Unicorn runs."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.options import NoOptions
from arlif.base.scratch import scratch
from arlif.core.network import Input
from export.c.c_manifest import Manifest, read_manifest
from export.c.c_project import template
from hw_sim.engines.deployed.c_engine import facts, require_steps
from hw_sim.engines.deployed.c_recording import Recorded, frames, simulation
from hw_sim.engines.deployed.emulator import Emulator
from hw_sim.engines.deployed.processors import Processor
from hw_sim.engines.deployed.toolchain import ZIG, run_tool
from hw_sim.engines.in_batches import over_work
from hw_sim.engines.simulation import Record, Simulation, check_request
from hw_sim.engines.work import Outcome, Work

RUNTIME = "runtime.c"
HERE = Path(__file__).parent
FREESTANDING = (
    "-std=c99",
    "-Os",
    "-g",
    "-ffreestanding",
    "-fno-builtin",
    "-fno-sanitize=all",
    "-nostdlib",
)
"""-g keeps the names of functions and arrays."""


def run_on(processor: Processor, work: Work[NoOptions]) -> Outcome:
    """The project that a network.c is part of; spikes and states."""
    with scratch() as folder:
        firmware = Firmware(
            read_manifest(work.path.parent),
            Emulator(build_firmware(work.path, folder, processor, work.time_steps), processor),
            work.time_steps,
        )
        names = tuple(p.name for p in firmware.manifest.populations)
        done = over_work(firmware, work, Record(names, states=True), batch=4)
    return Outcome(done, firmware.manifest.network, firmware.input.clipped(work.real))


@dataclass(frozen=True)
class Firmware:
    """A network.c in an emulator, built for T time steps."""

    manifest: Manifest
    emulator: Emulator
    time_steps: int

    @property
    def input(self) -> Input:
        """What it is fed with."""
        return self.manifest.input.input()

    def simulate(self, inputs: NDArray[Any], time_steps: int, record: Record) -> Simulation:
        """Run raw inputs, [N, *shape] (static) or [T, N, *shape]. Raises ArlifError."""
        names = [p.name for p in self.manifest.populations]
        check_request(self.input, names, inputs, time_steps, record)
        samples = [self._sample(frame) for frame in frames(self.manifest, inputs)]
        return simulation(self.manifest, samples, time_steps, record)

    def _sample(self, frame: NDArray[np.int8]) -> Recorded:
        """One sample, with all that it did."""
        neurons = self.manifest.neurons
        values = sum(prod(p.shape) * len(p.states) for p in self.manifest.populations)
        self.emulator.write("firmware_input", frame.tobytes())
        self.emulator.call("firmware_main")

        def read(name: str, kind: str, *shape: int) -> NDArray[Any]:
            content = self.emulator.read(name, prod(shape) * np.dtype(kind).itemsize)
            return np.frombuffer(content, kind).reshape(shape)

        return Recorded(
            read("firmware_logits", "<i8", self.manifest.classes),
            read("firmware_counts", "<i4", neurons),
            read("firmware_spikes", "u1", self.time_steps, neurons),
            read("firmware_states", "<i4", self.time_steps, values),
        )


def build_firmware(
    path: Path, folder: Path, processor: Processor, time_steps: int, counted: bool = False
) -> Path:
    """Compile a network.c for a processor; counted: without the recording. Raises ArlifError."""
    manifest = read_manifest(path.parent)
    require_steps(manifest, time_steps)
    (folder / "facts.h").write_text(facts(manifest), encoding="utf-8")
    (folder / RUNTIME).write_text(template(f"port/{RUNTIME}"), encoding="utf-8")
    target = folder / f"{processor.name}{'-counted' * counted}.elf"
    command = [
        *ZIG.require(),
        *processor.flags,
        *FREESTANDING,
        '-DFACTS="facts.h"',
        f'-DSOURCE="{path.name}"',
        f"-DTIME_STEPS={time_steps}",
        *(["-DCOUNTED"] if counted else []),
        f"-I{folder}",
        f"-I{path.parent.resolve()}",
        str(HERE / "firmware.c"),
        str(folder / RUNTIME),
        f"-Wl,-T,{HERE / 'firmware.ld'}",
        "-Wl,-e,firmware_main",
        "-o",
        str(target),
    ]
    run_tool(command, folder)
    return target
