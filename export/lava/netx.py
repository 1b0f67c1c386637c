"""What stock Lava (lava-nc 0.10.0, lava-dl 0.6.0: netx.hdf5.Network) reads of a .net file.

Its LIF (lava.proc.lif.models): v = v (4096 - vDecay) / 4096 + 64 a_in + 64 bias, 24 bits, product
toward zero; it fires on v > 64 vThMant, and then v = 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from arlif.core.integer_neurons import IntegerNeuron
from arlif.core.loihi import (
    ALIGNMENT,
    BIAS_HIGH,
    BIAS_LOW,
    FACTOR_BITS,
    STATE,
    STATE_LIMIT,
    THRESHOLD_LIMIT,
)
from arlif.core.maps import Dense
from arlif.core.network import INPUT, Population, Projection, QuantizedNetwork, Readout
from arlif.core.real_neurons import RealCuba, RealLifHard
from export.hdf5 import Tree
from export.lava.merge import single_map

NEVER = STATE_LIMIT + 1
"""A threshold that no membrane potential reaches; SLAYER too writes one past 17 bits for that."""


def stock_obstacles(network: QuantizedNetwork) -> tuple[str, ...]:
    """Each reason why stock Lava cannot run the network bit for bit; empty where it can."""
    nodes: tuple[Population | Readout, ...] = (*network.populations, network.readout)
    names = (INPUT, *(node.name for node in nodes))
    reasons: list[str] = []
    for (before, name), node in zip(pairwise(names), nodes, strict=True):
        found = [*_synapse_obstacles(network, before, name)]
        if isinstance(node, Population):
            found += _neuron_obstacles(network, node)
        else:
            found += _readout_obstacles(network, node)
        reasons += [f"{name}: {reason}" for reason in found]
    return tuple(reasons)


def _chained(network: QuantizedNetwork, before: str, name: str) -> Projection | None:
    """The projection into a node, where it is the only one and comes from the layer before."""
    incoming = network.incoming(name)
    return incoming[0] if [p.source for p in incoming] == [before] else None


def _synapse_obstacles(network: QuantizedNetwork, before: str, name: str) -> Iterator[str]:
    reading = network.readout.reading
    if reading is not None and name == network.readout.name:
        yield f"it is {reading}, and netx gives spikes and sums"
        return
    projection = _chained(network, before, name)
    if projection is None:
        sources = ", ".join(p.source for p in network.incoming(name))
        yield f"it is fed by {sources}, but netx feeds a layer from the one before, {before}"
        return
    if projection.pools:
        yield "netx has no OR of spikes (max pooling)"
        return
    if projection.shift:
        yield f"netx has no shift behind a sum, here {projection.shift}"
    linear = single_map(projection.maps, network.shape(before))
    if linear is None:
        chain = " then ".join(type(m).__name__ for m in projection.maps)
        yield f"{chain} is no single convolution with 8-bit weights"
    elif isinstance(linear, Dense) and not linear.weight.max() > 0:
        yield "netx packs dense weights, which goes wrong where none is positive"
    low, high = (ALIGNMENT * bound for bound in network.accumulator_interval(name))
    if low < -STATE_LIMIT or high > STATE_LIMIT:
        yield f"the synaptic current may reach [{low}, {high}], past Lava's 24 bits"


def _neuron_obstacles(network: QuantizedNetwork, population: Population) -> Iterator[str]:
    neuron = population.neuron
    known = {RealLifHard: STATE.bits, RealCuba: STATE.bits + 1}
    bits = next((bits for kind, bits in known.items() if neuron.is_a(kind)), None)
    if bits is None:
        yield f"netx has no neuron {neuron.name}, only LIF with hard reset"
        return
    wrong = [*_constant_obstacles(neuron, population.shape[0])]
    if wrong:
        yield from wrong
        return
    lif = Lif.of(population)
    if (neuron.state_format.bits, neuron.factor_bits) != (bits, FACTOR_BITS):
        yield (
            f"Lava's LIF needs {bits}-bit states and {FACTOR_BITS}-bit decays here, "
            f"not {neuron.state_format.bits} and {neuron.factor_bits}"
        )
    if bool((population.gain != ALIGNMENT).any()) or population.gain_shift:
        yield f"Lava's LIF has the gain {ALIGNMENT} and no shift in every channel"
    mantissa, rest = divmod(lif.threshold - 1, ALIGNMENT)
    if (rest or not 0 <= mantissa <= THRESHOLD_LIMIT) and lif.threshold != NEVER:
        yield (
            f"a threshold is {ALIGNMENT} n + 1 with 0 <= n <= {THRESHOLD_LIMIT}, since Lava "
            f"fires on '>', not {lif.threshold}"
        )
    mantissas, rests = np.divmod(lif.bias, ALIGNMENT)
    if rests.any() or mantissas.min() < BIAS_LOW or mantissas.max() > BIAS_HIGH:
        yield f"a bias is {ALIGNMENT} n with {BIAS_LOW} <= n <= {BIAS_HIGH}"
    if neuron.is_a(RealLifHard):
        yield from _saturation(network, population, neuron)
    elif population.bias.any():
        yield "a CUBA neuron takes its bias in the membrane potential, not in the current"


def _constant_obstacles(neuron: IntegerNeuron, channels: int) -> Iterator[str]:
    """What Lava's LIF has no register for."""
    raw = neuron.constants
    single = ("decay", "current_decay", "threshold", "limit", "edge")
    many = [name for name in single if np.ndim(raw.get(name, 0))]
    if many:
        yield f"Lava's LIF has one {' and one '.join(many)} for a whole layer"
        return
    decays = [name for name in single[:2] if not 0 <= raw.get(name, 0) <= neuron.one]
    if decays:
        yield f"Lava's LIF keeps between nothing and all: {' and '.join(decays)} cannot be negative"
    if np.size(raw.get("bias", 0)) not in (1, channels):
        yield "netx has one bias for a channel"
    if neuron.is_a(RealCuba) and (raw["limit"], raw["edge"]) != (STATE_LIMIT, STATE_LIMIT + 1):
        yield f"Lava's potential is limited to +-{STATE_LIMIT}, not to +-{raw['limit']}"


def _saturation(
    network: QuantizedNetwork, population: Population, neuron: IntegerNeuron
) -> Iterator[str]:
    """Lava saturates at +-(2**23 - 1), arlif at -2**23 and 2**23 - 1: neither may happen."""
    low, high = network.accumulator_interval(population.name)
    lowest = min(0, ALIGNMENT * low + int(population.bias.min()))
    highest = ALIGNMENT * high + int(population.bias.max())
    lost = neuron.one - neuron.constants["decay"]
    # u >= lowest (1 + k + k**2 + ...), and a silent neuron keeps u < threshold.
    floor = lowest * neuron.one // lost if lost else (-np.inf if lowest else 0)
    ceiling = highest + max(0, neuron.constants["threshold"] - 1)
    if floor < -STATE_LIMIT or ceiling > STATE_LIMIT:
        yield f"the membrane potential may reach [{floor}, {ceiling}], past Lava's 24 bits"


def _readout_obstacles(network: QuantizedNetwork, readout: Readout) -> Iterator[str]:
    low, high = network.accumulator_interval(readout.name)
    reach = ALIGNMENT * network.time_steps * max(-low, high)
    if reach > STATE_LIMIT:
        yield f"its sum over {network.time_steps} time steps may reach {reach}, past 24 bits"


def netx_layers(network: QuantizedNetwork) -> list[list[Tree]]:
    """The netx layers of each node: input, populations, readout. `flatten` precedes a dense."""
    layers = [[{"type": "input", "shape": network.input.shape}]]
    nodes: tuple[Population | Readout, ...] = (*network.populations, network.readout)
    plain = not stock_obstacles(network)
    names = (INPUT, *(node.name for node in nodes))
    for (before, name), node in zip(pairwise(names), nodes, strict=True):
        synapse = _synapse(network, before, name)
        flat = synapse["type"] == "dense" and len(network.shape(before)) == 3
        shape = (int(np.prod(network.shape(before))),)
        layer = {"shape": node.shape, **synapse}
        if isinstance(node, Population):
            layer |= (
                Lif.of(node).layer() if plain else {"neuron": {"type": f"arlif.{node.neuron.name}"}}
            )
        layers.append([*([{"type": "flatten", "shape": shape}] if flat else []), layer])
    return layers


def _synapse(network: QuantizedNetwork, before: str, name: str) -> Tree:
    projection = _chained(network, before, name)
    shape = network.shape(before)
    plain = projection is not None and not projection.shift and not projection.pools
    linear = single_map(projection.maps, shape) if projection and plain else None
    if linear is None:
        return {"type": "arlif"}
    weight = linear.weight
    if isinstance(linear, Dense):
        return {
            "type": "dense",
            "inFeatures": weight.shape[1],
            "outFeatures": weight.shape[0],
            "weight": weight,
        }
    return {
        "type": "conv",
        "inChannels": shape[0],
        "outChannels": weight.shape[0],
        "kernelSize": weight.shape[2:],
        "stride": linear.stride,
        "padding": linear.padding,
        "dilation": linear.dilation,
        "groups": linear.groups,
        "weight": weight,
    }


@dataclass(frozen=True, eq=False)
class Lif:
    """The constants of Lava's LIF, raw."""

    current_decay: int
    decay: int
    threshold: int
    bias: NDArray[np.int32]

    @classmethod
    def of(cls, population: Population) -> "Lif":
        """Of a population of either neuron that is one."""
        raw = population.neuron.constants
        bias = np.ravel(raw.get("bias", population.bias)).astype(np.int32)
        bias = np.broadcast_to(bias, population.bias.shape)
        return cls(raw.get("current_decay", 0), raw["decay"], raw["threshold"], bias)

    def layer(self) -> Tree:
        """Its keys in a netx layer."""
        return {
            "bias": self.bias // ALIGNMENT,
            "neuron": {
                "type": "LOIHI",
                "iDecay": (1 << FACTOR_BITS) - self.current_decay,
                "vDecay": (1 << FACTOR_BITS) - self.decay,
                "vThMant": -(-(self.threshold - 1) // ALIGNMENT),
                "refDelay": 1,
                "gradedSpike": False,
            },
        }
