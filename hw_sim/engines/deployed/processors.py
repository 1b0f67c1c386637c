"""Microcontrollers' processors that exported C is compiled for and emulated on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Processor:
    """name: of its engine. flags: of Clang, as `python -m ziglang cc` takes them. thumb: ARM's."""

    name: str
    flags: tuple[str, ...]
    thumb: bool


ARM = ("-target", "thumb-freestanding-eabi", "-mfloat-abi=soft")
CORTEX_M0 = Processor("cortex-m0", (*ARM, "-mcpu=cortex_m0"), True)
CORTEX_M4 = Processor("cortex-m4", (*ARM, "-mcpu=cortex_m4"), True)
RV32 = Processor(
    "rv32",
    ("-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m+a+c", "-mcmodel=medany"),
    False,
)
"""RV32IMAC."""
PROCESSORS = (CORTEX_M0, CORTEX_M4, RV32)
