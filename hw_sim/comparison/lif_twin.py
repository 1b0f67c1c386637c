"""The same network with plain LIF neurons: what a neuron costs in hardware beside LIF."""

from dataclasses import replace

from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.network import Population, QuantizedNetwork
from arlif.core.real_neurons import RealLifSoft

PLAIN = RealLifSoft
"""LIF with reset by subtraction, which has a decay and a threshold and nothing else."""


def lif_twin(network: QuantizedNetwork) -> QuantizedNetwork | None:
    """Every population that fires as PLAIN, in its formats; None where all of them are.

    Weights, gains and biases stay, so what it decides means nothing; what it takes does.
    """
    if all(p.neuron.is_a(PLAIN) for p in network.populations if p.neuron.fires):
        return None
    plain = (_plain(p) if p.neuron.fires else p for p in network.populations)
    return replace(network, populations=tuple(plain))


def _plain(population: Population) -> Population:
    neuron = population.neuron
    state = neuron.state_format
    constants = {
        "decay": neuron.constants.get("decay", neuron.one // 2),
        "threshold": min(state.one, state.high),
    }
    plain = IntegerNeuron.of(PLAIN, state, neuron.factor_bits, constants)
    return replace(population, neuron=plain)
