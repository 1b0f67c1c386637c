"""The self-test on bare processors: built by the project's own Makefile, run in an emulator."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.networks_integer import example_network

from export.c import COptions, write_c
from export.c.c_project import template
from hw_sim.engines.deployed.emulator import Emulator
from hw_sim.engines.deployed.processors import PROCESSORS, Processor
from hw_sim.engines.deployed.toolchain import ELF_READER, UNICORN, ZIG

pytestmark = pytest.mark.skipif(
    not all(tool.command() for tool in (ZIG, UNICORN, ELF_READER)),
    reason="ziglang, unicorn or pyelftools is not installed",
)
WRITE0, EXIT, GOOD, BAD = 0x04, 0x18, 0x20026, 0x20023
"""Of semihosting: SYS_WRITE0, SYS_EXIT; ADP_Stopped_ApplicationExit and _RunTimeErrorUnknown."""


def said(elf: Path, processor: Processor) -> tuple[str, int]:
    """What a self-test writes, and what it ends with; a debugger is played here."""
    emulator = Emulator(elf, processor)
    machine, uc = emulator.machine, emulator.unicorn
    arm, riscv = uc.arm_const, uc.riscv_const
    places = (arm.UC_ARM_REG_R0, arm.UC_ARM_REG_R1, arm.UC_ARM_REG_PC)
    if not processor.thumb:
        places = (riscv.UC_RISCV_REG_A0, riscv.UC_RISCV_REG_A1, riscv.UC_RISCV_REG_PC)
    text, ended = bytearray(), []

    def asked(*_: Any) -> None:
        operation, argument, at = (machine.reg_read(place) for place in places)
        if operation == EXIT:
            ended.append(argument)
            machine.emu_stop()
            return
        assert operation == WRITE0
        while byte := machine.mem_read(argument, 1)[0]:
            text.append(byte)
            argument += 1
        machine.reg_write(places[2], (at + 2) | 1 if processor.thumb else at + 4)

    if processor.thumb:
        machine.hook_add(uc.UC_HOOK_INTR, asked)
        emulator.call("port_reset")
    else:  # Unicorn has no interrupt for ebreak, which stands behind one instruction
        ebreak = emulator.symbols["semihosting"][0] + 4
        assert machine.mem_read(ebreak, 4) == bytes.fromhex("73001000")
        machine.hook_add(uc.UC_HOOK_CODE, asked, begin=ebreak, end=ebreak)
        emulator.call("port_start")
    return text.decode(), ended[0]


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda p: p.name)
def test_the_selftest_tells_its_verdict(processor: Processor, tmp_path: Path) -> None:
    write_c(example_network(), tmp_path / "network.c", COptions(vectors=2))
    command = ["make", processor.name, f"ZIG={sys.executable} -m ziglang cc"]

    def built() -> Path:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert "warning" not in done.stderr
        return tmp_path / f"selftest-{processor.name}.elf"

    text, ended = said(built(), processor)
    assert (text.count("0 of 5 logits differ, spikes and states equal"), ended) == (2, GOOD)
    assert text.endswith("PASS\n")
    source = (tmp_path / "selftest.c").read_text()
    head, rest = source.split("hashes[VECTORS] = {")
    (tmp_path / "selftest.c").write_text(f"{head}hashes[VECTORS] = {{1u + {rest}")
    text, ended = said(built(), processor)
    assert (text.count("DIFFER"), text.endswith("FAIL\n"), ended) == (1, True, BAD)


def test_the_makefile_names_the_processors_of_the_engines() -> None:
    words = template("Makefile").split()
    for processor in PROCESSORS:
        assert set(processor.flags) <= set(words)
