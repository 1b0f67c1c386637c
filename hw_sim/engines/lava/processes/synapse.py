"""A projection's synapses: linear maps, a shift and a delay."""

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from arlif.core.maps import Interval, LinearMap, Shape, apply_chain, chain_shape
from hw_sim.engines.lava.processes.guard import GuardedModel
from hw_sim.engines.lava.stream import Stream


@dataclass(frozen=True)
class Wait:
    """How many of a sample's `steps` pass before a node at `depth` receives what was sent in it."""

    stream: Stream
    depth: int
    steps: int

    def is_over(self, lava_step: int) -> bool:
        """Whether what arrives now was sent in the sample that the node works on."""
        position = self.stream.position(lava_step, self.depth)
        return position is None or position[0] >= self.steps


class Synapse(AbstractProcess):
    """a_out(t + delay) = (maps applied to s_in(t)) << shift, in int32.

    shape: of one input, (C, H, W) or (features,); both ports have a leading batch axis.
    interval: lowest and highest value of an input.
    delay: time steps, at least 1, as in every Lava connection.
    wait: what was sent in the sample before does not arrive; None: all does.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        maps: tuple[LinearMap, ...],
        interval: Interval,
        shift: int = 0,
        delay: int = 1,
        batch: int = 1,
        wait: Wait | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            shape=shape,
            maps=maps,
            interval=interval,
            shift=shift,
            delay=delay,
            wait=wait,
            name=name,
        )
        self.s_in = InPort(shape=(batch, *shape))
        self.a_out = OutPort(shape=(batch, *chain_shape(maps, shape)))


@implements(proc=Synapse, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class MatrixSynapse(GuardedModel):
    """One matrix product per map, as in the reference engine."""

    s_in: Any = LavaPyType(PyInPort.VEC_DENSE, np.int8)
    a_out: Any = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.waiting: deque[Any] = deque()

    def advance(self) -> None:
        given = self.proc_params
        full, wait = len(self.waiting) == given["delay"], given["wait"]
        arriving = self.waiting.popleft() if full else np.zeros(self.a_out.shape)
        in_time = wait is None or wait.is_over(self.time_step)
        self.a_out.send(arriving if in_time else np.zeros(self.a_out.shape))
        total = apply_chain(given["maps"], self.s_in.recv(), given["interval"])
        self.waiting.append(total << given["shift"])
