"""What our Source sends inside Lava, recorded by Lava's own sink: python lava_source.py IN OUT.

IN: .npz with inputs, static and time_steps, as Source takes them. OUT: .npy, [T, N, *shape].
"""

import sys

import numpy as np

from hw_sim.engines.lava.processes.ends import Source
from hw_sim.engines.lava.stream import Stream

from lava.magma.core.run_conditions import RunSteps  # isort: skip
from lava.magma.core.run_configs import Loihi2SimCfg  # isort: skip
from lava.proc.io.sink import RingBuffer as Sink  # isort: skip

if __name__ == "__main__":
    given = np.load(sys.argv[1])
    inputs, static = given["inputs"], bool(given["static"])
    samples, *shape = inputs.shape if static else inputs.shape[1:]
    stream = Stream(samples, int(given["time_steps"]), batch=1)
    source = Source(inputs=inputs, static=static, shape=tuple(shape), stream=stream, name="input")
    sink = Sink(shape=(1, *shape), buffer=stream.length)
    source.s_out.connect(sink.a_in)
    source.run(RunSteps(num_steps=stream.length), Loihi2SimCfg(select_tag="fixed_pt"))
    sent = np.moveaxis(sink.data.get()[0], -1, 0)
    source.stop()
    np.save(sys.argv[2], sent.reshape(samples, -1, *shape).swapaxes(0, 1))
