"""Runs a .net file with Lava's own netx: python stock_netx.py NET FRAMES OUT TIME_STEPS.

FRAMES: .npy [N, T, *shape]. Writes the spikes of every layer [N, T, *shape] and the last layer's
current u after each sample [N, classes], all in arlif's axis order.
"""

import sys
from typing import Any

import numpy as np

from hw_sim.lava.hook import mend_lava

mend_lava()

from lava.lib.dl.netx.hdf5 import Network  # noqa: E402
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402
from lava.proc.io.sink import RingBuffer as Sink  # noqa: E402
from lava.proc.io.source import RingBuffer as Source  # noqa: E402


def run(net: str, frames: Any, time_steps: int, graded: bool) -> dict[str, Any]:
    network = Network(
        net, reset_interval=time_steps, reset_offset=1, input_message_bits=8 if graded else 0
    )
    depth = len(network.layers)
    length = len(frames) * time_steps + depth
    data = np.zeros((*network.inp.shape, length), np.int32)
    data[..., : length - depth] = frames.reshape(-1, *frames.shape[2:]).T.reshape(
        *network.inp.shape, -1
    )
    source = Source(data=data)
    source.s_out.connect(network.inp)
    sinks = [Sink(shape=layer.out.shape, buffer=length) for layer in network.layers]
    for layer, sink in zip(network.layers, sinks, strict=True):
        layer.out.connect(sink.a_in)
    config = Loihi2SimCfg(select_tag="fixed_pt")
    total = []
    source.run(RunSteps(num_steps=depth), config, compile_config={"pypy_channel_size": 2})
    for _ in frames:
        source.run(RunSteps(num_steps=time_steps), config)
        total.append(network.layers[-1].neuron.u.get())
    spikes = [sink.data.get() for sink in sinks]
    source.stop()
    shape = (len(frames), time_steps)
    found = {
        f"layer{index}": np.moveaxis(data[..., index + 1 : index + 1 + length - depth].T, 0, 0)
        .reshape(*shape, *data.shape[-2::-1])
        for index, data in enumerate(spikes[:-1])
    }
    return found | {"readout": np.array(total)}


if __name__ == "__main__":
    net, frames, out, time_steps, graded = sys.argv[1:]
    np.savez(out, **run(net, np.load(frames), int(time_steps), graded == "graded"))
