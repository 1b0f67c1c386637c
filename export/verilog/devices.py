"""Small FPGAs that a network is laid out for on purpose: what they have, and how blocks are cut."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chip:
    """cells: of one LUT and one flip-flop each. blocks: of memory, read and written at once.

    shapes: (words, bits) that a block can be.
    """

    cells: int
    blocks: int
    shapes: tuple[tuple[int, int], ...]

    def needed(self, words: int, bits: int) -> int:
        """Blocks of a memory."""
        return min(-(-words // deep) * -(-bits // wide) for deep, wide in self.shapes)


ICE40_BLOCK = ((256, 16), (512, 8), (1024, 4), (2048, 2))
"""4 kbit: Lattice TN1250, Memory Usage Guide for iCE40 Devices."""

CHIPS: dict[str, Chip] = {
    "ice40-hx8k": Chip(7680, 32, ICE40_BLOCK),
    "ice40-up5k": Chip(5280, 30, ICE40_BLOCK),
}
"""By name. Their sources stand beside the devices in hw_sim/engines/deployed/fpga_devices.py."""
