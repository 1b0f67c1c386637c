"""The C engine: compiles the network.c that is shipped, runs it, reads all that it did."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import SimulationError, require
from arlif.base.scratch import scratch
from arlif.core.network import Input
from export.c.c_manifest import Manifest, read_manifest
from export.c.c_types import sides
from hw_sim.engines.deployed.c_recording import Recorded, frames, simulation
from hw_sim.engines.deployed.host_options import HostOptions
from hw_sim.engines.deployed.toolchain import C_COMPILER, run_tool
from hw_sim.engines.in_batches import over_work
from hw_sim.engines.simulation import Record, Simulation, check_request
from hw_sim.engines.work import Outcome, Work

RUNNER = Path(__file__).parent / "runner.c"
PLAIN = HostOptions()
SANITIZE = ("-g", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")


def run(work: Work[HostOptions]) -> Outcome:
    """The project that a network.c is part of; spikes and states."""
    with scratch() as folder:
        program = build(work.path, folder, work.options)
        names = tuple(p.name for p in program.manifest.populations)
        done = over_work(program, work, Record(names, states=True))
    return Outcome(done, program.manifest.network, program.input.clipped(work.real))


@dataclass(frozen=True)
class CProgram:
    """A compiled network.c. folder: where the program lies, and what it reads and writes."""

    manifest: Manifest
    folder: Path

    @property
    def input(self) -> Input:
        """What it is fed with."""
        return self.manifest.input.input()

    def simulate(self, inputs: NDArray[Any], time_steps: int, record: Record) -> Simulation:
        """Run raw inputs, [N, *shape] (static) or [T, N, *shape]. Raises ArlifError."""
        known = self.manifest
        names = [p.name for p in known.populations]
        check_request(self.input, names, inputs, time_steps, record)
        require_steps(known, time_steps)
        raw = frames(known, inputs)
        traced = len(raw) if record.layers else 0
        (self.folder / "inputs").write_bytes(raw.tobytes())
        counted = [str(n) for n in (len(raw), traced, time_steps)]
        run_tool([str(self.folder / "runner"), "inputs", "outputs", *counted], self.folder)
        found = np.fromfile(self.folder / "outputs", np.uint8)
        return simulation(known, _samples(known, found, traced, time_steps), time_steps, record)


def build(path: Path, folder: Path, options: HostOptions = PLAIN) -> CProgram:
    """Compile a network.c and its runner into a folder. Raises ArlifError."""
    manifest = read_manifest(path.parent)
    require(
        not (options.as_events and manifest.input.static),
        "this network's input is one frame for all time steps; --as-events needs a streamed input",
        SimulationError,
    )
    (folder / "facts.h").write_text(facts(manifest), encoding="utf-8")
    command = [
        *C_COMPILER.require(),
        "-std=c99",
        "-O2",
        *(SANITIZE if options.sanitize else ()),
        *(["-DAS_EVENTS"] if options.as_events else ()),
        '-DFACTS="facts.h"',
        f'-DSOURCE="{path.name}"',
        f"-I{folder}",
        f"-I{path.parent.resolve()}",
        str(RUNNER),
        "-o",
        str(folder / "runner"),
    ]
    run_tool(command, folder)
    return CProgram(manifest, folder)


def require_steps(manifest: Manifest, time_steps: int) -> None:
    """Raise SimulationError where a network.c cannot run for so many time steps."""
    known = manifest.time_steps
    require(
        time_steps == known or (manifest.stepwise and time_steps <= manifest.most_steps),
        f"this network.c runs for {known} time steps, not {time_steps}; export it with --style "
        "dense for other numbers",
        SimulationError,
    )


def facts(manifest: Manifest) -> str:
    """What runner.c and firmware.c are compiled with."""
    prefix, populations = manifest.prefix, manifest.populations
    sizes = [prod(p.shape) for p in populations]
    widths = [len(p.states) for p in populations]
    values = [size * width for size, width in zip(sizes, widths, strict=True)]
    rows = {
        "first_neuron": [sum(sizes[:k]) for k in range(len(sizes))],
        "first_state": [sum(values[:k]) for k in range(len(values))],
        "state_count": widths,
    }
    given = "input" if manifest.input.static else ""
    channels, _, width = sides(manifest.input.shape)
    numbers = {
        "NETWORK": f"{prefix}_network",
        "INPUTS": prod(manifest.input.shape),
        "CLASSES": manifest.classes,
        "STATIC": int(manifest.input.static),
        "STEPWISE": int(manifest.stepwise),
        "NEURONS": sum(sizes),
        "STATES": sum(values),
        "START(n, input)": f"{prefix}_start(n{', ' * bool(given)}{given})",
        "STEP(n, frame)": f"{prefix}_step(n, frame)",
        "CHANNELS": channels,
        "WIDTH": width,
        "EVENT(n, c, y, x, value)": f"{prefix}_add_event(n, c, y, x, value)",
        "RUN(n, input)": f"{prefix}_run(n, input)",
        "LOGITS(n)": f"{prefix}_logits(n)",
    }
    return "\n".join(
        [
            *(f"#define {name} {value}" for name, value in numbers.items()),
            *(
                f"static const int32_t {name}[] = {{{', '.join(map(str, row)) or 0}}};"
                for name, row in rows.items()
            ),
            "",
        ]
    )


def _samples(
    manifest: Manifest, content: NDArray[np.uint8], traced: int, time_steps: int
) -> list[Recorded]:
    """What runner.c wrote."""
    neurons = manifest.neurons
    values = sum(prod(p.shape) * len(p.states) for p in manifest.populations)
    found: list[Recorded] = []
    at = 0

    def take(kind: type, *shape: int) -> NDArray[Any]:
        nonlocal at
        start, at = at, at + prod(shape) * np.dtype(kind).itemsize
        return content[start:at].view(kind).reshape(shape)

    while at < len(content):
        logits, counts = take(np.int64, manifest.classes), take(np.int32, neurons)
        if len(found) < traced:
            spikes = take(np.uint8, time_steps, neurons)
            found.append(Recorded(logits, counts, spikes, take(np.int32, time_steps, values)))
        else:
            found.append(Recorded(logits, counts))
    return found
