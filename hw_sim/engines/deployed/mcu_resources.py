"""What an exported network.c needs on a processor: measured by building and emulating it."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.c.c_manifest import Manifest, read_manifest
from hw_sim.engines.deployed.boards import Board
from hw_sim.engines.deployed.c_recording import frames
from hw_sim.engines.deployed.emulator import Emulator
from hw_sim.engines.deployed.mcu_engine import FREESTANDING, build_firmware
from hw_sim.engines.deployed.processors import Processor
from hw_sim.engines.deployed.toolchain import ELF_READER, ZIG, run_tool

WRITABLE, LOADED = 1, 2
"""Flags of ELF sections: SHF_WRITE, SHF_ALLOC."""


@dataclass(frozen=True)
class Needs:
    """flash: code and constants of network.o. memory: the struct. stack: the deepest that was seen.

    All in bytes. instructions: of every input that was run. What is too large to be loaded is not
    run: its stack is not known.
    """

    flash: int
    memory: int
    stack: int | None
    instructions: tuple[int, ...]

    @property
    def ram(self) -> int:
        """Memory, and as far as it is known the stack."""
        return self.memory + (self.stack or 0)


def needs(
    path: Path, board: Board, inputs: NDArray[np.int8], time_steps: int, folder: Path
) -> Needs:
    """What a network.c needs, with -Os. inputs: raw. Raises SimulationError."""
    processor = board.processor
    elf = build_firmware(path, folder, processor, time_steps, counted=True)
    emulator = Emulator(elf, processor)
    flash = _flash(path, processor, folder)
    memory = emulator.symbols["firmware_network"][1]
    if flash > board.flash or memory > board.ram:
        return Needs(flash, memory, None, ())
    counts = []
    for frame in frames(read_manifest(path.parent), inputs):
        emulator.write("firmware_input", frame.tobytes())
        counts.append(emulator.counted("firmware_run"))
    return Needs(
        flash,
        memory,
        max(stack for _, stack in counts),
        tuple(instructions for instructions, _ in counts),
    )


def _flash(path: Path, processor: Processor, folder: Path) -> int:
    """Bytes of the sections of network.o that are loaded and not written."""
    target = folder / f"{processor.name}.o"
    source = str(path.resolve())
    run_tool(
        [*ZIG.require(), *processor.flags, *FREESTANDING, "-c", source, "-o", str(target)], folder
    )
    ELF_READER.require()
    reader: Any = import_module("elftools.elf.elffile").ELFFile
    with target.open("rb") as file:
        sections = [(s["sh_flags"], s["sh_size"]) for s in reader(file).iter_sections()]
    return sum(size for flags, size in sections if flags & LOADED and not flags & WRITABLE)


def cures(board: Board, found: Needs, manifest: Manifest) -> list[str]:
    """By how much a board is too small, and what would make the network fit; else empty."""
    lacking = []
    if found.flash > board.flash:
        lacking.append(f"{found.flash - board.flash:,} bytes of flash too many: smaller layers")
    if found.ram > board.ram:
        largest = max(manifest.memory, key=lambda name: manifest.memory[name])
        style = "--style fused, or " if manifest.style != "fused" else ""
        lacking.append(
            f"{found.ram - board.ram:,} bytes of RAM too many: {style}smaller layers; {largest} "
            f"has {manifest.memory[largest]:,}"
        )
    return lacking
