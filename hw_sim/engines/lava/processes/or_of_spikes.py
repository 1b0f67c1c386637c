"""The OR of spikes over windows, within the time step in which they are sent."""

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from numpy.typing import NDArray

from arlif.core.maps import Shape
from arlif.core.network import Pooled
from hw_sim.engines.lava.processes.guard import GuardedModel
from hw_sim.engines.lava.stream import Stream


class Or(AbstractProcess):
    """s_out(t) = pooled(s_in(t)), and adds up over a sample's time steps what it sends.

    shape: of the spikes, (C, H, W). depth: of the node that they come from. counts: integers
    [N, C, H', W'], start at 0, shared with the caller.
    """

    def __init__(
        self,
        *,
        pooled: Pooled,
        shape: Shape,
        stream: Stream,
        depth: int,
        counts: NDArray[np.integer],
    ) -> None:
        super().__init__(pooled=pooled, stream=stream, depth=depth, counts=counts, name=pooled.name)
        self.s_in = InPort(shape=(stream.batch, *shape))
        self.s_out = OutPort(shape=(stream.batch, *pooled.output_shape(shape)))


@implements(proc=Or, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class OrModel(GuardedModel):
    """The largest bit under every window."""

    s_in: Any = LavaPyType(PyInPort.VEC_DENSE, np.int8)
    s_out: Any = LavaPyType(PyOutPort.VEC_DENSE, np.int8)

    def advance(self) -> None:
        given = self.proc_params
        sent = given["pooled"](self.s_in.recv())
        position = given["stream"].position(self.time_step, given["depth"])
        if position is not None:
            samples = position[1]
            used = samples.stop - samples.start
            given["counts"][samples] += sent[:used].astype(given["counts"].dtype)
        self.s_out.send(sent)
