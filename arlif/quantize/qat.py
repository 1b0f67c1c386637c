"""Quantization-aware training: a torch module whose forward pass is the integer network.

Every forward pass quantizes the present parameters with arlif.quantize.rounding, the one place that
rounds them, and computes with those integers; gradients reach the parameters straight through.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from arlif.arithmetic.straight_through import QatOps, state_type, substitute
from arlif.arithmetic.surrogates import STANDARD, Surrogate
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    OverTime,
    Population,
    Projection,
    QuantizedNetwork,
)
from arlif.core.steps import current
from arlif.layers import later
from arlif.quantize.linearized import Current, LinearizedNetwork
from arlif.quantize.qat_current import TrainableCurrent
from arlif.quantize.qat_neurons import QatNeuron
from arlif.quantize.rounding import Precision, accumulator_unit, quantize
from arlif.quantize.walk import detached


class QatNetwork(nn.Module):
    """A linearized network with trainable weights, biases, alphas and betas, run as integers.

    It takes real inputs, time first ([1, N, ...] static, else [T, N, ...]), and returns logits
    [T, N, classes], or [1, N, classes] of a readout of potentials, like the network it came from;
    in training as in evaluation its spikes are those of `quantized()` in every engine. surrogate:
    gradient of a spike.
    """

    def __init__(
        self,
        network: LinearizedNetwork,
        source: Input,
        precision: Precision,
        time_steps: int,
        surrogate: Surrogate = STANDARD,
    ) -> None:
        super().__init__()
        self.network, self.source, self.precision = network, source, precision
        self.time_steps = time_steps
        self.neurons = nn.ModuleDict(
            {
                _key(p.name): QatNeuron(p.neuron, p.current.shape, surrogate)
                for p in network.populations
            }
        )
        currents = {p.name: p.current for p in network.populations}
        if network.summed is not None:
            currents[READOUT] = network.summed
        self.currents = nn.ModuleDict(
            {_key(name): TrainableCurrent(c, source) for name, c in currents.items()}
        )

    def linearized(self) -> LinearizedNetwork:
        """The real-valued network with the parameters' present values."""
        populations = [
            replace(
                p,
                neuron=detached(self._neuron(p.name).real_neuron()),
                current=self._layer(p.name).present(),
            )
            for p in self.network.populations
        ]
        readout = self.network.readout
        if isinstance(readout, Current):
            readout = self._layer(READOUT).present()
        return replace(self.network, populations=tuple(populations), readout=readout)

    def quantized(self) -> QuantizedNetwork:
        """The integer network of the present parameters. Raises ArlifError where none fits."""
        return quantize(self.linearized(), self.source, self.precision, self.time_steps)

    def _layer(self, name: str) -> TrainableCurrent:
        return cast(TrainableCurrent, self.currents[_key(name)])

    def _neuron(self, name: str) -> QatNeuron:
        return cast(QatNeuron, self.neurons[_key(name)])

    def forward(self, x: Tensor) -> Tensor:
        """Logits, float64 [T or 1, N, classes], of real inputs x.

        Their scale is rounded to 24 bits, so that sums over time are exact and equal classes stay
        equal, as they do in the engines.
        """
        network = self.quantized()
        readout, _ = self.run(network, self.source.nearest(x.double()))
        return readout * float(np.float32(network.readout.scale))

    def run(self, network: QuantizedNetwork, raw: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Raw readouts, float64 [T or 1, N, classes], and spikes by population, of raw inputs.

        network: what `quantized()` gives for the present parameters.
        """
        sent = {INPUT: raw}
        over_time, reading = partial(self._arriving, sent), network.readout.reading
        for part in network.loops:
            if network.chunk(part) is None:
                (population,) = part
                x = self._currents(network, population)(over_time)
                x = x.expand(self.time_steps, *x.shape[1:])
                if reading is not None and reading.population == population.name:
                    found = self._neuron(population.name).states(x, population.neuron)
                    sent[population.name], potentials = found[0], found[1][reading.variable]
                else:
                    sent[population.name] = self._neuron(population.name)(x, population.neuron)
            else:
                sent |= self._run_loop(network, part, sent)
        bias = torch.tensor(network.readout.bias, dtype=torch.float64, device=raw.device)
        if reading is not None:
            del sent[INPUT]
            values = potentials.double()
            last = values[-1:] if reading.over is OverTime.LAST else values.amax(0, keepdim=True)
            return last + bias, sent
        layer, scale = self._layer(READOUT), network.readout.scale
        unit = np.full(network.readout.shape, scale)
        sums = layer.accumulator(network, READOUT, unit)(over_time)
        readout = sums + substitute(layer.bias.double() / scale, bias)
        del sent[INPUT]
        return readout.expand(self.time_steps, *readout.shape[1:]), sent

    def _arriving(self, sent: dict[str, Tensor], projection: Projection) -> Tensor:
        """What a projection brings over time, [T, N, *shape]; one frame where all are the same."""
        frames = sent[projection.source]
        if projection.delay == 0:
            return frames
        return later(frames.expand(self.time_steps, *frames.shape[1:]), projection.delay)

    def _run_loop(
        self,
        network: QuantizedNetwork,
        loop: tuple[Population, ...],
        sent: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Spikes of populations that feed each other, one time step after another."""
        currents = {p.name: self._currents(network, p) for p in loop}
        outer = {
            (p.source, p.delay): self._arriving(sent, p)
            for p in network.projections
            if p.source in sent
        }
        frames: dict[str, list[Tensor]] = {p.name: [] for p in loop}
        steps: dict[str, Callable[[Tensor], Tensor]] = {}
        samples = len(next(iter(sent.values()))[0])

        def arriving(t: int, projection: Projection) -> Tensor:
            source, delay = projection.source, projection.delay
            if source not in frames:
                given = outer[source, delay]
                return given if len(given) == 1 else given[t : t + 1]
            if delay <= t:
                return frames[source][t - delay][None]
            return torch.zeros(1, samples, *network.shape(source), dtype=torch.float64)

        for t in range(self.time_steps):
            for population in loop:
                name = population.name
                x = currents[name](partial(arriving, t))
                if name not in steps:
                    steps[name] = self._neuron(name).started(x, population.neuron)
                frames[name].append(steps[name](x[0]))
        return {name: torch.stack(spikes) for name, spikes in frames.items()}

    def _currents(
        self, network: QuantizedNetwork, population: Population
    ) -> Callable[[Callable[[Projection], Tensor]], Tensor]:
        """Raw input currents of what arrives, float [T, N, *shape], or [1, N, *shape]."""
        layer, neuron = self._layer(population.name), population.neuron
        unit = accumulator_unit(population.gain, population.gain_shift, neuron)
        accumulator = layer.accumulator(network, population.name, unit)

        def per_neuron(channels: Tensor) -> Tensor:
            return channels.view(-1, *(1 for _ in population.shape[1:]))

        numbers = torch.tensor(np.stack([population.gain, population.bias])).to(layer.bias.device)
        gain, raw_bias = numbers.double()
        bias = substitute(layer.bias.double() * neuron.state_format.one, raw_bias)
        ops = QatOps(neuron.state_format, population.gain_shift, STANDARD)

        def currents(arriving: Callable[[Projection], Tensor]) -> Tensor:
            x = current(ops, accumulator(arriving), per_neuron(gain), per_neuron(bias))
            found: Tensor = x.to(state_type(neuron.state_format, neuron.factor_bits))
            return found

        return currents


def _key(name: str) -> str:
    """A population's key in a ModuleDict, whose own methods' names cannot be keys."""
    return f"of_{name}"
