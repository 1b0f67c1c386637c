"""Where samples enter and decisions leave: frames from a file, the readout into a file."""

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
from arlif.core.nodes import Readout
from hw_sim.engines.lava.processes.guard import GuardedModel
from hw_sim.engines.lava.stream import Stream


class Source(AbstractProcess):
    """Sends raw inputs block by block, [batch, *shape]; zeros where there are none.

    inputs: int8 [N, *shape] (static) or [T, N, *shape].
    """

    def __init__(
        self, *, inputs: NDArray[np.int8], static: bool, shape: Shape, stream: Stream, name: str
    ) -> None:
        super().__init__(inputs=inputs, static=static, stream=stream, name=name)
        self.s_out = OutPort(shape=(stream.batch, *shape))


@implements(proc=Source, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SourceModel(GuardedModel):
    """Copies frames out of the inputs, which forked processes share."""

    s_out: Any = LavaPyType(PyOutPort.VEC_DENSE, np.int8)

    def advance(self) -> None:
        given = self.proc_params
        frame = np.zeros(self.s_out.shape, np.int8)
        position = given["stream"].position(self.time_step, depth=0)
        if position is not None:
            t, samples = position
            frames = given["inputs"] if given["static"] else given["inputs"][t]
            frame[: samples.stop - samples.start] = frames[samples]
        self.s_out.send(frame)


class Integrator(AbstractProcess):
    """The readout: what it receives over time, in `total`; counts finished samples.

    total: int64 [N, classes], starts at 0. done: int64 [1]. Both are shared with the caller.
    """

    def __init__(
        self,
        *,
        readout: Readout,
        total: NDArray[np.int64],
        done: NDArray[np.int64],
        stream: Stream,
        depth: int,
        name: str,
    ) -> None:
        super().__init__(
            readout=readout, total=total, done=done, stream=stream, depth=depth, name=name
        )
        self.a_in = InPort(shape=(stream.batch, *readout.shape))


@implements(proc=Integrator, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class IntegratorModel(GuardedModel):
    """Sums or reads in int64."""

    a_in: Any = LavaPyType(PyInPort.VEC_DENSE, np.int32)

    def advance(self) -> None:
        given = self.proc_params
        received = self.a_in.recv()
        position = given["stream"].position(self.time_step, given["depth"])
        if position is not None:
            t, samples = position
            total, readout = given["total"], given["readout"]
            received = received[: samples.stop - samples.start]
            if readout.reading is None:
                total[samples] += received + readout.bias
            else:
                total[samples] = readout.read(received[None], total[samples] if t else None)
            if t == given["stream"].time_steps - 1:
                given["done"][0] = samples.stop
