"""A projection's synapses: linear maps, a shift and a delay; exact and fast, or on stock Lava."""

from collections import deque
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.model.sub.model import AbstractSubProcessModel
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.conv.process import Conv as StockConv
from lava.proc.dense.process import Dense as StockDense

from arlif.core.linear import (
    Conv2d,
    Dense,
    Interval,
    LinearMap,
    Shape,
    SumPool2d,
    apply_chain,
    chain_shape,
)
from hw_sim.lava.processes.guard import GuardedModel


class Synapse(AbstractProcess):
    """a_out(t + delay) = (maps applied to s_in(t)) << shift, in int32.

    shape: of one input, (C, H, W) or (features,); both ports have a leading batch axis.
    interval: lowest and highest value of an input.
    delay: time steps, at least 1, as in every Lava connection.
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
        name: str | None = None,
    ) -> None:
        super().__init__(
            shape=shape, maps=maps, interval=interval, shift=shift, delay=delay, name=name
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
        late = len(self.waiting) < given["delay"]
        self.a_out.send(np.zeros(self.a_out.shape) if late else self.waiting.popleft())
        total = apply_chain(given["maps"], self.s_in.recv(), given["interval"])
        self.waiting.append(total << given["shift"])


@implements(proc=Synapse, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class StockSynapse(AbstractSubProcessModel):
    """Lava's own Conv and Dense, one process per map; identities fill up the delay.

    Needs batch 1, delay of at least one step per map, and results of at most 24 bits.
    """

    def __init__(self, proc: Synapse) -> None:
        given = proc.proc_params
        shape, maps = given["shape"], list(given["maps"])
        maps += [identity(chain_shape(tuple(maps), shape))] * (given["delay"] - len(maps))
        out: Any = proc.s_in.reshape(shape)
        for index, linear in enumerate(maps):
            shift = given["shift"] if index == len(maps) - 1 else 0
            if isinstance(linear, Dense):
                stage: Any = stock_dense(linear, shift)
                out.flatten().connect(stage.s_in)
                out = stage.a_out
            else:
                stage = stock_convolution(linear, shape, shift)
                out.transpose([2, 1, 0]).connect(stage.s_in)
                out = stage.a_out.transpose([2, 1, 0])
            setattr(self, f"stage{index}", stage)
            shape = linear.output_shape(shape)
        out.reshape(proc.a_out.shape).connect(proc.a_out)


def identity(shape: Shape) -> Dense | SumPool2d:
    """The map that returns its input."""
    return SumPool2d((1, 1), (1, 1)) if len(shape) == 3 else Dense(np.eye(shape[0], dtype=np.int8))


def stock_dense(linear: Dense, shift: int) -> StockDense:
    """Lava's Dense; weights of both signs lose their last bit there, so it holds them doubled."""
    return StockDense(
        weights=2 * linear.weight.astype(np.int32), weight_exp=shift - 1, num_message_bits=24
    )


def stock_convolution(linear: Conv2d | SumPool2d, shape: Shape, shift: int) -> StockConv:
    """Lava's Conv: layout (W, H, C), kernel flipped; a pool is a convolution channel by channel."""
    if isinstance(linear, Conv2d):
        weight, groups = linear.weight, linear.groups
    else:
        weight, groups = np.ones((shape[0], 1, *linear.kernel), np.int8), shape[0]
    window = linear.window
    return StockConv(
        weight=weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1).astype(np.int32) << shift,
        input_shape=shape[::-1],
        stride=window.stride[::-1],
        padding=window.padding[::-1],
        dilation=window.dilation[::-1],
        groups=groups,
        num_message_bits=24,
    )
