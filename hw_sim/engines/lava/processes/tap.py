"""What Lava's own processes send, written into files: a meter, no part of the network."""

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from hw_sim.engines.lava.processes.guard import GuardedModel
from hw_sim.engines.lava.stream import Stream


class Tap(AbstractProcess):
    """Adds what it receives, [*shape], over the time steps of each sample; counts finished ones.

    stream: one sample abreast. depth: of the node that it listens to. total: [N, *shape].
    steps: bool [T, samples recorded, *shape]. done: int64 [1]. All are shared with the caller.
    """

    def __init__(
        self,
        *,
        stream: Stream,
        depth: int,
        total: NDArray[Any],
        steps: NDArray[np.bool_],
        done: NDArray[np.int64],
        name: str,
    ) -> None:
        super().__init__(stream=stream, depth=depth, total=total, steps=steps, done=done, name=name)
        self.a_in = InPort(shape=total.shape[1:])


@implements(proc=Tap, protocol=LoihiProtocol)
@requires(CPU)
@tag("floating_pt")
class TapModel(GuardedModel):
    """Adds in the type of the total."""

    a_in: Any = LavaPyType(PyInPort.VEC_DENSE, float)

    def advance(self) -> None:
        given = self.proc_params
        received = self.a_in.recv()
        position = given["stream"].position(self.time_step, given["depth"])
        if position is None:
            return
        t, samples = position
        total, steps = given["total"], given["steps"]
        total[samples.start] += received.astype(total.dtype)
        if samples.start < steps.shape[1]:
            steps[t, samples.start] = received != 0
        if t == given["stream"].time_steps - 1:
            given["done"][0] = samples.stop
