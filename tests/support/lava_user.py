"""Our Population inside somebody's own Lava network: python lava_user.py IN OUT.

IN: .npz with currents [T, N, features], the constants of an AR-LIF, and those of a neuron of the
user's own, one of them for each feature. Runs both once in real and once in integer numbers,
straight behind Lava's own source, and writes spikes and last states.
"""

import sys
from typing import Any

import numpy as np

from arlif.core.integer_neurons import PRESETS
from arlif.core.real_neurons import RealArlif
from arlif.quantize.neuron_constants import to_integer
from hw_sim.engines.lava.processes.population import Population
from support.user_neurons import Adaptive

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
    numbers, found = PRESETS["compact16"], {}
    raw = numbers.state_format.quantize(given["currents"])
    for name, neuron in (("arlif", real), ("own", Adaptive(strength=given["strength"]))):
        spikes, state = run(neuron, "floating_pt", given["currents"])
        found |= {f"{name}_float_spikes": spikes, f"{name}_float_state": state}
        spikes, state = run(to_integer(neuron, numbers), "fixed_pt", raw)
        found |= {f"{name}_raw_spikes": spikes, f"{name}_raw_state": state}
    np.savez(sys.argv[2], **found)
