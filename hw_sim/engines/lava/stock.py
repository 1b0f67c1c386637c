"""Synapses made of Lava's own Conv and Dense; apart from the others since scipy.signal is slow.

Shifts go into the weights: Lava's Conv ignores its weight exponent.
"""

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.sub.model import AbstractSubProcessModel
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.conv.process import Conv as StockConv
from lava.proc.dense.process import Dense as StockDense

from arlif.core.maps import Conv2d, Dense, Shape, SumPool2d, as_convolution, as_dense, chain_shape
from hw_sim.engines.lava.processes.synapse import Synapse


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
            convolution, to = as_convolution(linear, shape), linear.output_shape(shape)
            if convolution is None:
                stage: Any = stock_dense(as_dense(linear, shape), shift)
                out.flatten().connect(stage.s_in)
                out = stage.a_out.reshape(to)
            else:
                stage = stock_convolution(convolution, shape, shift)
                out.transpose([2, 1, 0]).connect(stage.s_in)
                out = stage.a_out.transpose([2, 1, 0])
            setattr(self, f"stage{index}", stage)
            shape = to
        out.reshape(proc.a_out.shape).connect(proc.a_out)


def identity(shape: Shape) -> Dense | SumPool2d:
    """The map that returns its input."""
    return SumPool2d((1, 1), (1, 1)) if len(shape) == 3 else Dense(np.eye(shape[0], dtype=np.int8))


def stock_dense(linear: Dense, shift: int) -> StockDense:
    """Lava's Dense; weights of both signs lose their last bit there, so it holds them doubled."""
    return StockDense(
        weights=2 * linear.weight.astype(np.int32), weight_exp=shift - 1, num_message_bits=24
    )


def stock_convolution(linear: Conv2d, shape: Shape, shift: int) -> StockConv:
    """Lava's Conv: layout (W, H, C), kernel flipped."""
    window = linear.window
    return StockConv(
        weight=linear.weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1).astype(np.int32) << shift,
        input_shape=shape[::-1],
        stride=window.stride[::-1],
        padding=window.padding[::-1],
        dilation=window.dilation[::-1],
        groups=linear.groups,
        num_message_bits=24,
    )
