"""Microcontrollers by name: how much they hold."""

from dataclasses import dataclass

from hw_sim.engines.deployed.processors import CORTEX_M0, CORTEX_M4, RV32, Processor

KIB = 1024


@dataclass(frozen=True)
class Board:
    """flash, ram: bytes. source: where they are published."""

    processor: Processor
    flash: int
    ram: int
    source: str


BOARDS = {
    "nrf51822": Board(
        CORTEX_M0,
        256 * KIB,
        16 * KIB,
        "nRF51822 QFAA; docs.rust-embedded.org/discovery/microbit/04-meet-your-hardware/"
        "microbit-v1.html, after Nordic's product specification",
    ),
    "stm32f411re": Board(
        CORTEX_M4,
        512 * KIB,
        128 * KIB,
        "ST, RM0383, 2.1; docs.platformio.org/en/stable/boards/ststm32/nucleo_f411re.html",
    ),
    "gd32vf103cb": Board(
        RV32,
        128 * KIB,
        32 * KIB,
        "docs.zephyrproject.org/3.3.0/boards/riscv/gd32vf103c_starter/doc/index.html; "
        "wiki.sipeed.com/soft/longan/en",
    ),
}
"""One of every processor that is emulated, by name. The sources were read in November 2026."""
