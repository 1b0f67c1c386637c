"""How many neuromorphic cores a network would need: an estimate from published limits.

Every layer gets cores of its own. Each resource is divided by what a core offers, the scarcest one
decides. That is a lower bound: a real mapper also copies kernels and axons to the cores of a layer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np

from arlif.core.network import Population, Projection, QuantizedNetwork, Readout
from arlif.errors import require
from hw_sim.energy.catalogue import LOIHI1_COMPARTMENTS
from hw_sim.energy.connections import fan_out, weighted_maps
from hw_sim.energy.traffic import weight_bits


@dataclass(frozen=True)
class CoreLimits:
    """What one core offers.

    neurons: compartments. synaptic_bits: memory for weights. shared_kernels: a convolution's kernel
    is stored once, else once per connection. assumptions: what is not published and was assumed.
    compartments: how many a neuron takes, by its type, where that is not one.
    """

    name: str
    source: str
    neurons: int
    synaptic_bits: int
    input_axons: int
    output_axons: int
    cores_per_chip: int
    shared_kernels: bool
    assumptions: tuple[str, ...]
    compartments: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("neurons", "synaptic_bits", "input_axons", "output_axons", "cores_per_chip"):
            value = getattr(self, name)
            require(value >= 1, f"a core's {name} must be at least 1, not {value}")


KIB = 1024 * 8

LOIHI1 = CoreLimits(
    "loihi1",
    "M. Davies et al., IEEE Micro 38(1), 2018",
    neurons=1024,
    synaptic_bits=128 * KIB,
    input_axons=4096,
    output_axons=4096,
    cores_per_chip=128,
    shared_kernels=True,
    assumptions=(
        "AR-LIF takes two compartments, one per state variable, as in its prices: Loihi 1 cannot "
        "run it; any other neuron takes one",
        "a kernel is stored once per layer",
    ),
    compartments=LOIHI1_COMPARTMENTS,
)

LOIHI2 = CoreLimits(
    "loihi2",
    "Intel, Taking Neuromorphic Computing to the Next Level with Loihi 2, 2021: neurons and cores",
    neurons=8192,
    synaptic_bits=128 * KIB,
    input_axons=4096,
    output_axons=4096,
    cores_per_chip=128,
    shared_kernels=True,
    assumptions=(
        "synaptic memory and axons per core are not published: taken as on Loihi 1",
        "a kernel is stored once per layer",
        "8,192 neurons per core is the published maximum; a neuron with more state gets fewer",
    ),
)

LIMITS: dict[str, CoreLimits] = {limits.name: limits for limits in (LOIHI1, LOIHI2)}
"""Known cores by name."""


@dataclass(frozen=True)
class LayerMapping:
    """What one layer needs, by resource; shares: needs by what one core offers."""

    layer: str
    needs: dict[str, int]
    shares: dict[str, float]

    @property
    def total(self) -> int:
        """Cores that the layer takes."""
        return max(1, ceil(max(self.shares.values())))

    @property
    def limit(self) -> str:
        """The scarcest resource, which decides."""
        return max(self.shares, key=lambda resource: self.shares[resource])


@dataclass(frozen=True)
class CoreMapping:
    """An estimate for a whole network."""

    limits: CoreLimits
    layers: tuple[LayerMapping, ...]

    @property
    def cores(self) -> int:
        """Cores in all."""
        return sum(layer.total for layer in self.layers)

    @property
    def chips(self) -> int:
        """Chips in all."""
        return ceil(self.cores / self.limits.cores_per_chip)

    @property
    def largest(self) -> LayerMapping:
        """The layer that takes most cores."""
        return max(self.layers, key=lambda layer: layer.total)

    def utilisation(self, layer: LayerMapping) -> dict[str, float]:
        """Share of its cores' resources that a layer uses, by resource."""
        return {resource: share / layer.total for resource, share in layer.shares.items()}

    def rows(self) -> list[dict[str, Any]]:
        """One row per layer, ready for JSON: cores, the resource that decides, use of each."""
        return [
            {
                "layer": layer.layer,
                "cores": layer.total,
                "limit": layer.limit,
                "needs": layer.needs,
                "utilisation": self.utilisation(layer),
            }
            for layer in self.layers
        ]


def estimate_mapping(network: QuantizedNetwork, limits: CoreLimits = LOIHI2) -> CoreMapping:
    """Cores for every population and the readout.

    Raises ArlifError where the connections of a map are unknown.
    """
    layers = []
    nodes: tuple[Population | Readout, ...] = (*network.populations, network.readout)
    for node in nodes:
        incoming = network.incoming(node.name)
        outgoing = [p for p in network.projections if p.source == node.name]
        neurons = int(np.prod(node.shape))
        needs = {
            "neurons": neurons * _compartments(node, limits),
            "synaptic_bits": sum(_synaptic_bits(network, p, limits) for p in incoming),
            "input_axons": sum(int(np.prod(network.shape(p.source))) for p in incoming),
            "output_axons": neurons * len(outgoing),
        }
        shares = {name: need / getattr(limits, name) for name, need in needs.items()}
        layers.append(LayerMapping(node.name, needs, shares))
    return CoreMapping(limits, tuple(layers))


def _compartments(node: Population | Readout, limits: CoreLimits) -> int:
    """Compartments that one neuron of a node takes."""
    kind = type(node.neuron if isinstance(node, Population) else node).__name__
    return limits.compartments.get(kind, 1)


def _synaptic_bits(network: QuantizedNetwork, projection: Projection, limits: CoreLimits) -> int:
    weights = [linear.weight for linear in weighted_maps(projection)]
    if limits.shared_kernels:
        return sum(weight_bits(w) * w.size for w in weights)
    widest = max((weight_bits(w) for w in weights), default=1)
    return widest * int(fan_out(network, projection).sum())
