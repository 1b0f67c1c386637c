"""When each sample passes through each layer: samples stream back to back, many abreast."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stream:
    """Samples in blocks of `batch`, each block `time_steps` long, one block after another.

    Step t of the network's time reaches a layer of depth d at Lava's time step t + d + 1, since
    every connection takes a step and Lava counts from 1.
    """

    samples: int
    time_steps: int
    batch: int

    @property
    def length(self) -> int:
        """Network time steps in the whole stream."""
        return -(-self.samples // self.batch) * self.time_steps

    def position(self, lava_step: int, depth: int) -> tuple[int, slice] | None:
        """Which step of which samples a layer handles now; None before its first and after."""
        step = lava_step - 1 - depth
        if not 0 <= step < self.length:
            return None
        block, t = divmod(step, self.time_steps)
        start = block * self.batch
        return t, slice(start, min(start + self.batch, self.samples))
