"""Exported C on emulated processors: every bit, 64-bit arithmetic too, and exact counts."""

import os
import signal
from dataclasses import replace
from math import prod
from pathlib import Path
from threading import Timer

import numpy as np
import pytest
from support.c_projects import require_equal
from support.networks_integer import example_network
from support.raw_neurons import sampled

from arlif.base.errors import SimulationError
from arlif.core.integer_neurons import PRESETS
from arlif.core.maps import Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.core.real_neurons import RealArlif
from export.c import COptions, Style, write_c
from export.c.c_manifest import read_manifest
from export.golden import golden
from hw_sim.engines.deployed import emulator
from hw_sim.engines.deployed.emulator import Emulator
from hw_sim.engines.deployed.mcu_engine import Firmware, build_firmware
from hw_sim.engines.deployed.processors import CORTEX_M4, PROCESSORS, Processor
from hw_sim.engines.deployed.toolchain import ELF_READER, UNICORN, ZIG, Tool
from hw_sim.engines.simulation import Record

pytestmark = pytest.mark.skipif(
    not all(tool.command() for tool in (ZIG, UNICORN, ELF_READER)),
    reason="ziglang, unicorn or pyelftools is not installed",
)


def wide_network() -> QuantizedNetwork:
    """24-bit states, a loop, a streamed input; products that need 64 bits."""
    rng = np.random.default_rng(0)

    def dense(outputs: int, inputs: int) -> tuple[Dense]:
        return (Dense(rng.integers(-127, 128, (outputs, inputs)).astype(np.int8)),)

    neuron = sampled(RealArlif(0.5, 1.0, 0.9, 0.2), PRESETS["loihi24"])
    population = Population("a", (6,), neuron, np.full(6, 200), 0, np.zeros(6, np.int32))
    projections = (
        Projection(INPUT, "a", dense(6, 8), 8),
        Projection("a", "a", dense(6, 6), 3, 2),
        Projection("a", READOUT, dense(3, 6)),
    )
    readout = Readout(np.array([2**30, 5, 6], np.int32), 0.5)
    return QuantizedNetwork(Input((8,), 0.01, static=False), (population,), projections, readout, 9)


def firmware(
    network: QuantizedNetwork, folder: Path, processor: Processor, style: Style = Style.AUTO
) -> Firmware:
    path = folder / "c" / "network.c"
    write_c(network, path, COptions(style))
    elf = build_firmware(path, folder, processor, network.time_steps)
    return Firmware(read_manifest(path.parent), Emulator(elf, processor), network.time_steps)


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda p: p.name)
@pytest.mark.parametrize(
    ("network", "style"),
    [
        (example_network(), Style.FUSED),
        (example_network(), Style.EVENT),
        (wide_network(), Style.DENSE),
        (wide_network(), Style.EVENT),
    ],
)
def test_every_bit_is_the_references(
    network: QuantizedNetwork, style: Style, processor: Processor, tmp_path: Path
) -> None:
    inputs = golden(network, 3).inputs
    built = firmware(network, tmp_path, processor, style)
    record = Record.everything(network)
    got = built.simulate(inputs, network.time_steps, record)
    require_equal(network, inputs, got)
    assert got.counts["a" if "a" in got.counts else "conv"].sum() > 0


@pytest.mark.parametrize("static", [True, False])
def test_inputs_are_clamped_to_their_raw_range(static: bool, tmp_path: Path) -> None:
    network = example_network() if static else wide_network()
    network = replace(network, input=replace(network.input, low=-20, high=90))
    built = firmware(network, tmp_path, CORTEX_M4)
    size = prod(network.input.shape) * (1 if static else network.time_steps)
    given = np.random.default_rng(0).integers(-128, 128, size).astype(np.int8)

    def logits(raw: np.ndarray) -> bytes:
        built.emulator.write("firmware_input", raw.tobytes())
        built.emulator.call("firmware_main")
        return built.emulator.read("firmware_logits", 8 * network.readout.shape[0])

    assert logits(given) == logits(given.clip(-20, 90)) != logits(np.zeros_like(given))


@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda p: p.name)
def test_counts_are_those_of_single_instructions(processor: Processor, tmp_path: Path) -> None:
    """ARM's predicated instructions count where their condition fails too; hooks leave them out."""
    network = example_network()
    path = tmp_path / "c" / "network.c"
    write_c(network, path)
    elf = build_firmware(path, tmp_path, processor, 4, counted=True)
    by_blocks, stack = Emulator(elf, processor).counted("firmware_run")
    single = Emulator(elf, processor)
    seen = [0]

    def one(*_: object) -> None:
        seen[0] += 1

    single.machine.hook_add(single.unicorn.UC_HOOK_CODE, one)
    single.call("firmware_run")
    assert seen[0] > 1000
    assert by_blocks >= seen[0] if processor is CORTEX_M4 else by_blocks == seen[0]
    assert 0 < stack < 1000


def test_a_fault_is_one_line(tmp_path: Path) -> None:
    built = firmware(example_network(), tmp_path, CORTEX_M4)
    built.emulator.machine.mem_unmap(emulator.STACK - emulator.STACK_BYTES, emulator.STACK_BYTES)
    with pytest.raises(SimulationError, match=r"^the cortex-m4 stopped: [^\n]*$"):
        built.emulator.call("firmware_main")


def test_what_is_missing_names_its_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = Tool("emulator of processors", module="no_such_module", pip="'arlif[mcu]'")
    monkeypatch.setattr(emulator, "UNICORN", tool)
    with pytest.raises(
        SimulationError,
        match=r"^there is no emulator of processors; install it with: pip install 'arlif\[mcu\]'$",
    ):
        Emulator(tmp_path / "none.elf", CORTEX_M4)


@pytest.mark.parametrize("verb", ["call", "counted"])
def test_ctrl_c_ends_a_program_that_does_not_end(verb: str, tmp_path: Path) -> None:
    built = firmware(example_network(), tmp_path, CORTEX_M4)
    begin = built.emulator.symbols["firmware_main"][0] & ~1
    built.emulator.machine.mem_write(begin, bytes.fromhex("fee7"))  # b .
    stop = Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    stop.start()
    with pytest.raises(KeyboardInterrupt):
        getattr(built.emulator, verb)("firmware_main")
    stop.join()
