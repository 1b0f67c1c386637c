"""Runs .net files with Lava's own netx: python stock_netx.py FOLDER...

Each folder holds network.net and frames.npy [N, T, *shape]. Writes out.npz: the spikes of every
layer [N, T, *shape] and the last layer's current u after each sample [N, classes].
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from export.lava import read_net
from hw_sim.engines.lava.hook import mend_lava

mend_lava()

from lava.lib.dl.netx.hdf5 import Network  # noqa: E402
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402
from lava.proc.io.sink import RingBuffer as Sink  # noqa: E402
from lava.proc.io.source import RingBuffer as Source  # noqa: E402


def run(net: Path, frames: Any) -> dict[str, Any]:
    source_range = read_net(net).input
    graded = (source_range.low, source_range.high) != (0, 1)
    time_steps = frames.shape[1]
    network = Network(
        str(net), reset_interval=time_steps, reset_offset=1, input_message_bits=8 if graded else 0
    )
    depth = len(network.layers)
    length = len(frames) * time_steps + depth
    data = np.zeros((*network.inp.shape, length), np.int32)
    data[..., : length - depth] = frames.reshape(-1, *network.inp.shape[::-1]).T
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
    found = {
        f"layer{index}": data[..., index + 1 : index + 1 + length - depth].T.reshape(
            len(frames), time_steps, *data.shape[-2::-1]
        )
        for index, data in enumerate(spikes[:-1])
    }
    return found | {"readout": np.array(total)}


if __name__ == "__main__":
    for folder in map(Path, sys.argv[1:]):
        np.savez(folder / "out.npz", **run(folder / "network.net", np.load(folder / "frames.npy")))
