"""Neurons of quantization-aware training: torch parameters outside, the integer step inside."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from arlif.arithmetic.floating import FloatOps
from arlif.arithmetic.straight_through import QatOps, TrainableTable, substitute
from arlif.arithmetic.surrogates import Surrogate
from arlif.core.integer_form import integer_form
from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.neuron import Neuron, traced
from arlif.core.units import Unit
from arlif.kernels import quantized
from arlif.kernels.kernel import Kernel
from arlif.kernels.quantized_printer import INVERSE, ONE, inside_functions, quantized_graph
from arlif.neurons.layer import NeuronLayer
from arlif.quantize.neuron_constants import learned_constants


class QatNeuron(nn.Module):
    """A neuron with trainable constants on raw currents [T, N, *shape].

    surrogate: gradient of a spike, in real units. Raises LoweringError where it has no integers.
    """

    def __init__(self, neuron: Neuron, shape: tuple[int, ...], surrogate: Surrogate) -> None:
        super().__init__()
        self.layer = NeuronLayer(neuron, shape)
        self.layer.surrogate = surrogate
        self.form = form = integer_form(traced(neuron))
        learn = learned_constants(neuron)
        self.graph = quantized_graph(form)
        self.learned = {n for n, c in form.constants.items() if learn & {*c.value.parameters()}}
        self.learned |= {inside_functions(name) for name in learn}

    def real_neuron(self) -> Neuron:
        """The neuron with its constants' present values."""
        return self.layer.real_neuron()

    def forward(self, x: Tensor, neuron: IntegerNeuron) -> Tensor:
        """Spikes [T, N, ...], 0.0 or 1.0; `neuron` holds the integers of the present constants."""
        kernel = self.kernel(neuron)
        if not quantized.applies(kernel, x, neuron):
            return self.run_steps(x, neuron)
        real = self.real_neuron().constants()
        given = {inside_functions(name): value for name, value in real.items()}
        for name, value in self._joined(neuron, x).constants.items():
            factor = self.form.constants[name].unit is Unit.FACTOR
            given[name] = value / neuron.one if factor else value
        one = neuron.state_format.one
        given |= {ONE: one, INVERSE: 1 / one}
        return quantized.run(kernel, x, given, neuron, self.layer.surrogate.width)

    def kernel(self, neuron: IntegerNeuron) -> Kernel:
        """What is fused, where the constants have such shapes."""
        names = self.graph.parameters()
        spread = tuple(n for n in names if np.ndim(neuron.constants.get(n, 0)) > 0)
        learned = tuple(n for n in names if n in self.learned)
        return Kernel(self.graph, names, learned, spread, type(self.layer.surrogate))

    def run_steps(self, x: Tensor, neuron: IntegerNeuron) -> Tensor:
        """The same, one step after another: what the kernel must equal."""
        return self.states(x, neuron)[0]

    def states(self, x: Tensor, neuron: IntegerNeuron) -> tuple[Tensor, dict[str, Tensor]]:
        """Spikes, and raw states after every step by name, [T, N, ...] each."""
        step = self._started(x, neuron)
        spikes, states = zip(*(step(now) for now in x), strict=True)
        kept = {name: torch.stack([getattr(s, name) for s in states]) for name in neuron.variables}
        return torch.stack(spikes), kept

    def started(self, x: Tensor, neuron: IntegerNeuron) -> Callable[[Tensor], Tensor]:
        """Spikes of one time step after another, from zero states; x: currents like theirs."""
        step = self._started(x, neuron)
        return lambda now: step(now)[0]

    def _started(self, x: Tensor, neuron: IntegerNeuron) -> Callable[[Tensor], tuple[Tensor, Any]]:
        """Spikes and state of one time step after another."""
        ops = QatOps(neuron.state_format, neuron.factor_bits, self.layer.surrogate)
        joined, state = self._joined(neuron, x), neuron.initial_state(torch.zeros_like(x[0]))

        def step(now: Tensor) -> tuple[Tensor, Any]:
            nonlocal state
            fired, state = joined.step(ops, state, now)
            return fired, state

        return step

    def _joined(self, neuron: IntegerNeuron, x: Tensor) -> IntegerNeuron:
        """The integer neuron's numbers with the real neuron's gradients."""
        real = self.real_neuron().constants()
        ones = {Unit.STATE: neuron.state_format.one, Unit.FACTOR: neuron.one}

        def number(name: str) -> Any:
            constant = self.form.constants[name]
            smooth = constant.value(FloatOps(self.layer.surrogate), real)
            raw = torch.tensor(neuron.constants[name]).to(x)
            if not isinstance(smooth, Tensor):
                return raw
            return substitute((smooth * ones[constant.unit]).to(x).expand(raw.shape), raw)

        def table(name: str) -> TrainableTable:
            function, unit = self.form.tables[name].function, self.form.tables[name].unit
            return TrainableTable(
                neuron.tables[name], lambda ops, x: function(ops, real, x), ones[unit]
            )

        return neuron.with_numbers(
            {name: number(name) for name in neuron.constants},
            {name: table(name) for name in neuron.tables},
        )
