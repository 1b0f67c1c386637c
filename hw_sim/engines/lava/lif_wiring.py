"""From lif.nir to Lava's own LIF, Dense and Conv, in their floating-point models.

Apart from the others since scipy.signal is slow, and read after Lava is mended.
"""

from typing import Any

import numpy as np
from lava.proc.conv.models import PyConvModelFloat
from lava.proc.conv.process import Conv
from lava.proc.dense.models import PyDenseModelFloat
from lava.proc.dense.process import Dense
from lava.proc.io.source import PySendModelFloat, RingBuffer
from lava.proc.lif.models import PyLifResetModelFloat
from lava.proc.lif.process import LIFReset

from hw_sim.engines.lava.lif_files import LifFiles
from hw_sim.engines.lava.plain_graph import Layer, Link, PlainNetwork
from hw_sim.engines.lava.processes.tap import Tap, TapModel
from hw_sim.engines.lava.stream import Stream

MODELS: dict[type, type] = {
    RingBuffer: PySendModelFloat,
    Dense: PyDenseModelFloat,
    Conv: PyConvModelFloat,
    LIFReset: PyLifResetModelFloat,
    Tap: TapModel,
}
"""By process, what runs it."""

GRADED = 24
"""Bits of a message: with 0, links take whatever comes in as one spike. No rounding in floats."""


def build_lif(network: PlainNetwork, files: LifFiles) -> tuple[list[Any], int]:
    """Processes wired up, the last one last, and the time steps to run; results go to `files`."""
    frames = np.load(files.inputs, allow_pickle=False)
    time_steps = files.steps(0).shape[0]
    stream = Stream(frames.shape[1], time_steps, batch=1)
    shown = np.broadcast_to(frames, (time_steps, *frames.shape[1:])).swapaxes(0, 1)
    data = np.moveaxis(shown.reshape(-1, *network.shape).astype(np.float64), 0, -1)
    source = RingBuffer(data=data)
    processes: list[Any] = [source]
    sent = {network.entry: source.s_out}
    for index, layer in enumerate(network.layers):
        tap = Tap(
            stream=stream,
            depth=layer.depth,
            total=files.total(index),
            steps=files.steps(index),
            done=files.done if layer is network.layers[-1] else np.zeros(1, np.int64),
            name=f"tap of {layer.name}",
        )
        node: Any = tap
        if layer.fires:
            node = _neurons(layer, time_steps)
            sent[layer.name] = node.s_out
            node.s_out.connect(tap.a_in)
            processes.append(node)
        for start, links in layer.chains:
            out = sent[start]
            for link in links:
                stage, out = _connected(out, link)
                processes.append(stage)
            out.connect(node.a_in)
        processes.append(tap)
    return processes, stream.length + max(layer.depth for layer in network.layers)


def _neurons(layer: Layer, time_steps: int) -> LIFReset:
    return LIFReset(
        shape=layer.shape,
        du=1.0,
        dv=layer.decay,
        vth=layer.threshold,
        bias_mant=np.ascontiguousarray(layer.bias),
        reset_interval=time_steps,
        reset_offset=layer.depth + 1,
        name=layer.name,
    )


def _connected(out: Any, link: Link) -> tuple[Any, Any]:
    """A process behind a port, and the port behind it; Conv takes (W, H, C) and flipped kernels."""
    if link.window is None:
        dense = Dense(weights=link.weight, num_message_bits=GRADED)
        out.connect(dense.s_in)
        return dense, dense.a_out
    window = link.window
    convolution = Conv(
        weight=link.weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1),
        input_shape=link.shape[::-1],
        stride=window.stride[::-1],
        padding=window.padding[::-1],
        dilation=window.dilation[::-1],
        groups=link.groups,
        num_message_bits=GRADED,
    )
    out.transpose([2, 1, 0]).connect(convolution.s_in)
    return convolution, convolution.a_out.transpose([2, 1, 0])
