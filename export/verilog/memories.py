"""What memories hold at the start, as words for $readmemh."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arlif.core.ranges import width
from export.verilog.pipeline import address_bits
from export.verilog.scattering import Paths, Scattering


@dataclass(frozen=True)
class Memory:
    """Words of so many bits."""

    words: tuple[int, ...]
    bits: int

    @property
    def size(self) -> int:
        """In bits."""
        return len(self.words) * self.bits

    def part(self, first: int, end: int | None) -> "Memory":
        """Its words from one to another."""
        return Memory(self.words[first:end], self.bits)

    def text(self) -> str:
        """One word a line, hexadecimal."""
        digits = -(-self.bits // 4)
        return "".join(f"{word:0{digits}x}\n" for word in self.words)


def fields(values: Sequence[int], widths: Sequence[int]) -> int:
    """Values of such widths in one word, the first lowest, each in two's complement."""
    word = at = 0
    for value, bits in zip(values, widths, strict=True):
        word |= (int(value) & ((1 << bits) - 1)) << at
        at += bits
    return word


@dataclass(frozen=True)
class Walk:
    """The memories of a scatter unit, and how wide its addresses are.

    counts: blocks of LANES output channels that each channel feeds. grouped: whether they are not
    all.
    """

    rows: Memory
    columns: Memory
    channels: Memory
    weights: Memory
    weight_bits: int
    row_bits: int
    counts: tuple[int, ...]
    grouped: bool


def walk(paths: Scattering, size: tuple[int, int], lanes: int, address: int) -> Walk:
    """size: (rows, columns) of the target. address: bits of an accumulator's address."""
    weights = paths.weights
    high, wide, channels, outputs = weights.shape
    blocks = -(-outputs // lanes)
    inside, per_group = channels // paths.groups, outputs // paths.groups
    first = [c // inside * per_group // lanes for c in range(channels)]
    last = [((c // inside + 1) * per_group - 1) // lanes for c in range(channels)]
    counts = [b - a + 1 for a, b in zip(first, last, strict=True)]
    base = np.cumsum([0, *counts])
    each = int(base[-1])
    row_bits = address_bits(high * wide * each)
    bits = width((int(weights.min()), int(weights.max())))
    padded = np.zeros((high, wide, channels, blocks * lanes), np.int64)
    padded[..., :outputs] = weights
    kept = np.concatenate(
        [
            padded[:, :, c].reshape(high, wide, blocks, lanes)[:, :, first[c] : last[c] + 1]
            for c in range(channels)
        ],
        axis=2,
    ).reshape(-1, lanes)
    block_bits = address_bits(blocks)
    per_channel = [
        fields((base[c], first[c], counts[c] - 1), (row_bits, block_bits, block_bits))
        for c in range(channels)
    ]
    return Walk(
        _paths(paths.rows, size[1] * blocks, wide * each, address, row_bits),
        _paths(paths.columns, blocks, each, address, row_bits),
        _full(per_channel, row_bits + 2 * block_bits),
        _rows(kept, bits),
        bits,
        row_bits,
        tuple(counts),
        any(count != blocks for count in counts),
    )


def path_bits(paths: Paths) -> int:
    """Bits that number the paths of one place."""
    return address_bits(max(len(reached) for reached in paths))


def gates(paths: Paths, bits: int) -> Memory:
    """{hit, last, place} of every path, the place in so many bits."""
    return _paths(paths, 1, 0, bits, 0)


def _paths(paths: Paths, step: int, row_step: int, address: int, row_bits: int) -> Memory:
    """{hit, last, address part, row part} of every path; a place without any has one miss."""
    most = 1 << path_bits(paths)
    hit, last = 1 << (address + row_bits + 1), 1 << (address + row_bits)
    words = []
    for reached in paths:
        entries = [
            hit | fields((kernel * row_step, output * step), (row_bits, address))
            for output, kernel in reached
        ] or [0]
        entries[-1] |= last
        words += [*entries, *[last] * (most - len(entries))]
    places = 1 << address_bits(len(paths))
    words += [last] * (most * (places - len(paths)))
    return Memory(tuple(words), address + row_bits + 2)


def _rows(rows: NDArray[np.int64], bits: int) -> Memory:
    """Rows of weights, one a word."""
    widths = [bits] * rows.shape[1]
    words = [fields(row, widths) for row in rows.tolist()]
    return Memory(tuple(words), bits * rows.shape[1])


def _full(words: list[int], bits: int) -> Memory:
    """As many words as an address of them has."""
    size = 1 << address_bits(len(words))
    return Memory((*words, *[0] * (size - len(words))), bits)


def sequence(columns: Sequence[NDArray[np.integer]], widths: Sequence[int]) -> Memory:
    """Constants read one after another: a word for each place of the columns."""
    words = [fields(values, widths) for values in zip(*(c.tolist() for c in columns), strict=True)]
    return Memory(tuple(words), sum(widths))
