"""Every spike, u and v of a stock netx network on Lava: python netx_probe.py NET DATA FEED OUT.

DATA: .npy in Lava's axis order. FEED says what it is: "bias", [*shape], the input neuron's bias;
"current", [*shape, T], what a source sends to the input neuron; "spikes", [*shape, T], what it
sends to the first synapse. Writes s<i>, u<i>, v<i> [T, *shape] of every layer i in arlif's axis
order, without Lava's delay of one step per layer.
"""

import sys

import numpy as np

from hw_sim.engines.lava.hook import mend_lava

mend_lava()

from lava.lib.dl.netx.hdf5 import Network  # noqa: E402
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402
from lava.proc.io.sink import RingBuffer as Sink  # noqa: E402
from lava.proc.io.source import RingBuffer as Source  # noqa: E402

BIAS_STEPS = 64


def probe(path: str, data: np.ndarray, feed: str) -> dict[str, np.ndarray]:
    time_steps = BIAS_STEPS if feed == "bias" else data.shape[-1]
    # layers start to integrate their bias when their first input can arrive
    delay = 1 if feed == "spikes" else 0
    network = Network(path, reset_interval=1 << 20, reset_offset=delay)
    layers = network.layers
    total = time_steps + len(layers) - 1 + delay
    if feed == "bias":
        layers[0].neuron.bias_mant.init = data
    else:
        padded = np.concatenate([data, np.zeros((*data.shape[:-1], len(layers)), int)], -1)
        source = Source(data=padded)
        source.s_out.connect(network.inp if feed == "spikes" else layers[0].neuron.a_in)
    sinks = [Sink(shape=layer.out.shape, buffer=total) for layer in layers]
    for layer, sink in zip(layers, sinks, strict=True):
        layer.out.connect(sink.a_in)
    states: dict[str, list[np.ndarray]] = {f"{n}{i}": [] for i in range(len(layers)) for n in "uv"}
    for _ in range(total):
        network.run(RunSteps(num_steps=1), Loihi2SimCfg(select_tag="fixed_pt"))
        for index, layer in enumerate(layers):
            states[f"u{index}"].append(layer.neuron.u.get().T)
            states[f"v{index}"].append(layer.neuron.v.get().T)
    found = {f"s{index}": sink.data.get().T for index, sink in enumerate(sinks)}
    network.stop()
    found |= {name: np.array(values) for name, values in states.items()}
    start = {name: int(name[1:]) + delay for name in found}
    return {name: v[start[name] : start[name] + time_steps] for name, v in found.items()}


if __name__ == "__main__":
    net, data, feed, out = sys.argv[1:]
    np.savez(out, **probe(net, np.load(data).astype(int), feed))
