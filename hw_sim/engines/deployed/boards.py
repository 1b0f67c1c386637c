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
    "nrf51822": Board(CORTEX_M0, 256 * KIB, 16 * KIB, "Nordic, nRF51822 product specification v3"),
    "stm32f411re": Board(CORTEX_M4, 512 * KIB, 128 * KIB, "ST, STM32F411xC/xE, DS10314"),
    "gd32vf103cb": Board(RV32, 128 * KIB, 32 * KIB, "GigaDevice, GD32VF103 datasheet"),
}
"""One of every processor that is emulated, by name."""
