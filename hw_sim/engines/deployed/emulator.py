"""Firmware in Unicorn: memory, registers, and an exact count of instructions."""

from importlib import import_module
from pathlib import Path
from typing import Any

from arlif.base.ctrl_c import beside
from arlif.base.errors import SimulationError
from hw_sim.engines.deployed.processors import Processor
from hw_sim.engines.deployed.toolchain import ELF_READER, UNICORN

STACK, STOP = 0x60000000, 0x70000000
STACK_BYTES = 1 << 20
PAGE = 4096
FILL = 0xA5
"""What the stack holds where nothing was written."""


class Emulator:
    """One ELF file, loaded. Raises SimulationError where a package is missing or it faults."""

    def __init__(self, path: Path, processor: Processor) -> None:
        for tool in (UNICORN, ELF_READER):
            tool.require()
        self.unicorn: Any = import_module("unicorn")
        self.processor = processor
        uc = self.unicorn
        if processor.thumb:
            self.machine = uc.Uc(uc.UC_ARCH_ARM, uc.UC_MODE_THUMB | uc.UC_MODE_MCLASS)
        else:
            self.machine = uc.Uc(uc.UC_ARCH_RISCV, uc.UC_MODE_RISCV32)
        self.symbols: dict[str, tuple[int, int]] = {}
        self._load(path)
        self.machine.mem_map(STACK - STACK_BYTES, STACK_BYTES)
        self.machine.mem_map(STOP, PAGE)

    def _load(self, path: Path) -> None:
        reader = import_module("elftools.elf.elffile").ELFFile
        with path.open("rb") as file:
            elf = reader(file)
            for segment in elf.iter_segments():
                if segment["p_type"] == "PT_LOAD" and segment["p_memsz"]:
                    start = segment["p_vaddr"] // PAGE * PAGE
                    end = segment["p_vaddr"] + segment["p_memsz"]
                    self.machine.mem_map(start, -(-(end - start) // PAGE) * PAGE)
                    self.machine.mem_write(segment["p_vaddr"], segment.data())
            for symbol in elf.get_section_by_name(".symtab").iter_symbols():
                self.symbols[symbol.name] = symbol["st_value"], symbol["st_size"]

    def write(self, name: str, content: bytes) -> None:
        """Into an array of the firmware."""
        self.machine.mem_write(self.symbols[name][0], content)

    def read(self, name: str, size: int) -> bytes:
        """Of an array of the firmware."""
        return bytes(self.machine.mem_read(self.symbols[name][0], size))

    def call(self, name: str) -> None:
        """Run a function without arguments to its end."""
        arm, riscv = self.unicorn.arm_const, self.unicorn.riscv_const
        thumb = self.processor.thumb
        self.machine.reg_write(arm.UC_ARM_REG_SP if thumb else riscv.UC_RISCV_REG_SP, STACK)
        self.machine.reg_write(
            arm.UC_ARM_REG_LR if thumb else riscv.UC_RISCV_REG_RA, STOP | int(thumb)
        )
        try:
            begin = self.symbols[name][0] | int(thumb)
            beside(lambda: self.machine.emu_start(begin, STOP), self.machine.emu_stop)
        except self.unicorn.UcError as error:
            raise SimulationError(f"the {self.processor.name} stopped: {error}") from None

    def counted(self, name: str) -> tuple[int, int]:
        """(instructions, bytes of stack) of a call, counted block by block.

        An instruction that ARM skips by its condition counts: the processor fetches it.
        """
        lengths: dict[tuple[int, int], int] = {}
        total = 0

        def block(machine: Any, address: int, size: int, _: object) -> None:
            nonlocal total
            if (address, size) not in lengths:
                code = bytes(machine.mem_read(address, size))
                lengths[address, size] = self._instructions(code)
            total += lengths[address, size]

        self.machine.mem_write(STACK - STACK_BYTES, bytes([FILL]) * STACK_BYTES)
        hook = self.machine.hook_add(self.unicorn.UC_HOOK_BLOCK, block)
        self.call(name)
        self.machine.hook_del(hook)
        stack = bytes(self.machine.mem_read(STACK - STACK_BYTES, STACK_BYTES))
        return total, len(stack.lstrip(bytes([FILL])))

    def _instructions(self, code: bytes) -> int:
        """How many instructions of 2 or 4 bytes there are."""
        at = found = 0
        while at < len(code):
            half = int.from_bytes(code[at : at + 2], "little")
            long = half >> 11 in (0b11101, 0b11110, 0b11111)
            if not self.processor.thumb:
                long = half & 3 == 3
            at, found = at + (4 if long else 2), found + 1
        return found
