"""NIR files as `arlif import` takes them, and what their integers do from a common float state."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from arlif.core.execution import accumulate
from arlif.core.network import INPUT, Input, QuantizedNetwork
from arlif.core.ops import IntegerOps
from arlif.core.steps import current
from arlif.neurons.recurrent import spiking_layers
from arlif.quantize import Precision, linearize
from arlif.quantize.linearized import LinearizedNetwork
from arlif.quantize.reach import reach
from arlif.quantize.scale_free import fitted
from arlif.quantize.torch_graph import population_name
from arlif.quantize.walk import detached
from export.nir import load_nir
from hw_sim.comparison.fitting import Fit, fit, typical
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer.fast import FastEngine
from hw_sim.engines.simulation import Record, Simulation
from support.nir_euler import Values


class Taken(NamedTuple):
    """A file as `arlif import` takes it without options but a time step."""

    module: torch.nn.Module
    linear: LinearizedNetwork
    source: Input
    shown: torch.Tensor
    made: Fit

    @property
    def integers(self) -> QuantizedNetwork:
        """Its integers."""
        return self.made.network

    def scales(self) -> dict[str, Any]:
        """By which numbers the import multiplied the potentials of every population."""
        reaches = reach(self.linear, self.shown.numpy(), len(self.shown))
        with_units = fitted(self.linear, self.source, Precision(), reaches, self.made.wide)
        layers = spiking_layers(self.module)
        own = {population_name(n): detached(layer.lowered()[0]) for n, layer in layers.items()}
        return {p.name: p.neuron.threshold / own[p.name].threshold for p in with_units.populations}


def take(path: Path, dt: float, time_steps: int) -> Taken:
    """Import a file: integers chosen on random spikes."""
    network = load_nir(path, dt)
    linear = linearize(network.module, network.input_shape)
    source = Input(linear.input_shape, 1.0, 0, 127, static=False)
    shown = typical(linear, time_steps)
    made = fit(network.module, linear, source, shown, time_steps, Precision(), may_widen=True)
    return Taken(network.module, linear, source, shown, made)


def simulated(network: QuantizedNetwork, x: Values) -> Simulation:
    """The integer engine, everything recorded."""
    raw = network.input.encode(x)
    return FastEngine(network).simulate(raw, len(x), Record.everything(network))


def one_step(taken: Taken, x: Values) -> dict[str, tuple[float, float]]:
    """Rate, and share of neuron-steps that differ, one step after a common float state.

    Before every step all integers are set to what the float network had: states, rounded into
    their formats, and spikes.
    """
    network, scales = taken.integers, taken.scales()
    want = simulate_float(taken.module, torch.from_numpy(x), x.shape[1]).traces

    def before(values: NDArray[Any], steps: int = 1) -> NDArray[Any]:
        return np.concatenate([np.zeros_like(values[:steps]), values[:-steps]])

    def flat(values: NDArray[Any]) -> NDArray[Any]:
        return values.reshape(-1, *values.shape[2:])

    sent = {INPUT: flat(network.input.encode(x))}
    sent |= {name: flat(trace.spikes) for name, trace in want.items()}
    past = {
        name: [flat(before(trace.spikes, ago + 1)) for ago in range(network.waits(name))]
        for name, trace in want.items()
    }
    found = {}
    for population in network.populations:
        name, neuron = population.name, population.neuron
        form = neuron.state_format
        ops = IntegerOps(form, population.gain_shift)
        gain, bias = (population.per_neuron(v) for v in (population.gain, population.bias))
        drive = current(ops, accumulate(network, name, sent, past), gain, bias)
        real = {n: flat(before(v)) * scales[name] for n, v in want[name].states.items()}
        raw = {
            n: np.clip(np.rint(v * form.one), form.low, form.high).astype(np.int32)
            for n, v in real.items()
        }
        state = neuron.initial_state(np.zeros_like(drive))._replace(**raw)
        spikes, _ = neuron.step(neuron.ops(), state, drive)
        fired = sent[name]
        found[name] = float(fired.mean()), float(np.mean(spikes != fired))
    return found
