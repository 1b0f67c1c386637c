"""Spike trains in C: T bits a neuron, read and written through two printed functions."""

from dataclasses import dataclass

from export.c.c_types import size

LANES = 4
"""Steps whose values share a word of 32 bits, a byte each."""


@dataclass(frozen=True)
class Trains:
    """Trains of T steps, at most 32. steps: T."""

    steps: int

    @property
    def bits(self) -> int:
        """Of a train in memory: a power of two."""
        return next(bits for bits in (1, 2, 4, 8, 16, 32) if bits >= self.steps)

    @property
    def kind(self) -> str:
        """The type of the array that holds trains, several of them in a byte where they fit."""
        return f"uint{max(8, self.bits)}_t"

    @property
    def words(self) -> int:
        """Words of the values of all steps."""
        return -(-self.steps // LANES)

    def count(self, neurons: int) -> int:
        """The length of the array."""
        return -(-neurons * self.bits // (8 * size(self.kind)))

    def functions(self) -> dict[str, list[str]]:
        """Functions by name: train_of(array, neuron), keep(array, neuron, train)."""
        kind, bits = self.kind, self.bits
        if bits >= 8:
            read, write = "from[i]", f"to[i] = ({kind})train;"
        else:
            share = 8 // bits
            place = f"i >> {share.bit_length() - 1}"
            shift = f"(((uint32_t)i & {share - 1}u) * {bits}u)"
            read = f"((uint32_t)from[{place}] >> {shift}) & {(1 << bits) - 1}u"
            write = f"to[{place}] = (uint8_t)(to[{place}] | (train << {shift}));"
        return {
            "train_of": [
                f"static inline uint32_t train_of(const {kind} *from, int32_t i)",
                "{",
                f"    return {read};",
                "}",
                "",
            ],
            "keep": [
                f"static inline void keep({kind} *to, int32_t i, uint32_t train)",
                "{",
                f"    {write}",
                "}",
                "",
            ],
        }
