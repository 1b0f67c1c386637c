"""Our Population inside somebody's own Lava network: python lava_user.py IN OUT.

IN: .npz with currents [T, N, features] and the constants of an AR-LIF. Runs it once in real and
once in integer numbers, straight behind Lava's own source, and writes spikes and last states.
"""

import sys
from typing import Any

import numpy as np

from arlif.core.integer_neurons import PRESETS
from arlif.core.real_neurons import RealArlif
from hw_sim.engines.lava.processes.population import Population
from support.integer_neurons import sampled

from lava.magma.core.run_conditions import RunSteps  # isort: skip
from lava.magma.core.run_configs import Loihi2SimCfg  # isort: skip
from lava.proc.io.sink import RingBuffer as Sink  # isort: skip
from lava.proc.io.source import RingBuffer as Source  # isort: skip

RESET_INTERVAL = 7


def run(neuron: Any, tag: str, currents: Any) -> tuple[Any, Any]:
    steps, *shape = currents.shape
    source = Source(data=np.moveaxis(currents, 0, -1))
    population = Population(
        shape=tuple(shape), neuron=neuron, reset_interval=RESET_INTERVAL, reset_offset=1
    )
    sink = Sink(shape=tuple(shape), buffer=steps)
    source.s_out.connect(population.a_in)
    population.s_out.connect(sink.a_in)
    population.run(RunSteps(num_steps=steps), Loihi2SimCfg(select_tag=tag))
    spikes, state = sink.data.get(), population.state.get()
    population.stop()
    return np.moveaxis(spikes, -1, 0), state


if __name__ == "__main__":
    given = np.load(sys.argv[1])
    real = RealArlif(*(float(given[name]) for name in ("decay", "v_threshold", "alpha", "beta")))
    numbers = PRESETS["compact16"]
    raw = numbers.state_format.quantize(given["currents"])
    float_spikes, float_state = run(real, "floating_pt", given["currents"])
    raw_spikes, raw_state = run(sampled(real, numbers), "fixed_pt", raw)
    np.savez(
        sys.argv[2],
        float_spikes=float_spikes,
        float_state=float_state,
        raw_spikes=raw_spikes,
        raw_state=raw_state,
    )
