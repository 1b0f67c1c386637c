"""How many neuromorphic cores a network would need: an estimate from published limits.

Every layer gets cores of its own. It is cut into equal blocks of neurons, by channels, rows and
columns, one block per core. A core holds the weights of its block's channels and has an input axon
for every neuron that the block reads: so kernels repeat over rows and columns, and input axons over
channels and along the edges of blocks. Of all cuts that fit, that with the fewest cores is taken.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import ceil, prod
from typing import Any

from arlif.base.errors import ArlifError, require
from arlif.core.maps import LinearMap, Shape
from arlif.core.network import Pooled, Population, Projection, QuantizedNetwork, Readout
from hw_sim.energy.catalogue import LOIHI1_COMPARTMENTS
from hw_sim.energy.connections import maps_and_shapes
from hw_sim.energy.neuron_titles import neuron_title
from hw_sim.energy.traffic import weight_bits


@dataclass(frozen=True)
class CoreLimits:
    """What one core offers.

    neurons: compartments. synaptic_bits: memory for weights. assumptions: what is not published and
    was assumed. compartments: how many a neuron takes, by its type, where that is not one.
    """

    name: str
    source: str
    neurons: int
    synaptic_bits: int
    input_axons: int
    output_axons: int
    cores_per_chip: int
    assumptions: tuple[str, ...]
    compartments: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("neurons", "synaptic_bits", "input_axons", "output_axons", "cores_per_chip"):
            value = getattr(self, name)
            require(value >= 1, f"a core's {name} must be at least 1, not {value}")


KIB = 1024 * 8

CUT = (
    "a core holds the kernels of its channels once and an axon for every neuron that it reads; a "
    "neuron sends one axon along each projection, however many cores read it",
    "a layer whose neurons read more than a core holds is divided by its inputs too, and their "
    "sums add up at no cost",
    "an OR of spikes (max pooling) is made where its spikes arrive, and takes no neuron",
)
"""Assumed of every chip."""

DIVIDED = ("synaptic_bits", "input_axons")
"""What a neuron's inputs take."""

LOIHI1 = CoreLimits(
    "loihi1",
    "M. Davies et al., IEEE Micro 38(1), 2018",
    neurons=1024,
    synaptic_bits=128 * KIB,
    input_axons=4096,
    output_axons=4096,
    cores_per_chip=128,
    assumptions=(
        "AR-LIF takes two compartments, one per state variable, as in its prices: Loihi 1 cannot "
        "run it; any other neuron takes one",
        *CUT,
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
    assumptions=(
        "memory for weights and axons per core are not published by themselves: taken as on Loihi "
        "1; of the brief, 192 kB per core, divided freely, and 120 million synapses per chip are "
        "quoted",
        *CUT,
        "8,192 neurons per core is the published maximum; a neuron with more state gets fewer",
    ),
)

LIMITS: dict[str, CoreLimits] = {limits.name: limits for limits in (LOIHI1, LOIHI2)}
"""Known cores by name."""


@dataclass(frozen=True)
class LayerMapping:
    """How one layer is cut, and what its fullest core needs.

    blocks: into how many parts each dimension of the layer is cut. pieces: cores per block, each
    with a part of the inputs; more than 1 where even one neuron reads more than a core holds.
    needs: of one core, by resource. shares: needs by what a core offers, at most 1.
    """

    layer: str
    blocks: tuple[int, ...]
    pieces: int
    needs: dict[str, int]
    shares: dict[str, float]

    @property
    def total(self) -> int:
        """Cores that the layer takes."""
        return prod(self.blocks) * self.pieces

    @property
    def limit(self) -> str:
        """The scarcest resource."""
        return max(self.shares, key=lambda resource: self.shares[resource])

    @property
    def fullness(self) -> float:
        """Share of the scarcest resource that is used."""
        return self.shares[self.limit]


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
        """The layer that takes most cores; of several, the one whose cores are fullest."""
        return max(self.layers, key=lambda layer: (layer.total, layer.fullness))

    def rows(self) -> list[dict[str, Any]]:
        """One row per layer, ready for JSON: cores, cut, scarcest resource, use of each."""
        return [
            {
                "layer": layer.layer,
                "cores": layer.total,
                "blocks": list(layer.blocks),
                "limit": layer.limit,
                "needs": layer.needs,
                "utilisation": layer.shares,
            }
            for layer in self.layers
        ]


def estimate_mapping(network: QuantizedNetwork, limits: CoreLimits = LOIHI2) -> CoreMapping:
    """Cores for every population and the readout; one that reads a state needs none.

    Raises ArlifError where no core holds a neuron.
    """
    readout = network.readout
    nodes: tuple[Population | Readout, ...] = (*network.populations, readout)
    if readout.reading is not None:
        nodes = network.populations
    layers = [
        _Layer(
            node,
            limits,
            tuple(_Path.of(network, p) for p in network.incoming(node.name)),
            sum(p.source == node.name for p in network.projections),
        ).cut()
        for node in nodes
    ]
    return CoreMapping(limits, tuple(layers))


@dataclass(frozen=True)
class _Path:
    """A projection: its maps, last one first, with input shape, rows of weights and bits per row.

    See LinearMap.stored_weights. ors: those in front of the maps, last one first, with input shape.
    """

    steps: tuple[tuple[LinearMap, Shape, int, int], ...]
    ors: tuple[tuple[Pooled, Shape], ...]

    @classmethod
    def of(cls, network: QuantizedNetwork, projection: Projection) -> "_Path":
        steps = [(m, shape, *_rows(m)) for m, shape in maps_and_shapes(network, projection)]
        ors = [(pooled, network.shape(pooled.source)) for pooled in projection.ors]
        return cls(tuple(reversed(steps)), tuple(reversed(ors)))

    def needs(self, block: Shape) -> tuple[int, int]:
        """Bits of weights and number of source neurons behind a block of target neurons."""
        bits = 0
        for linear, shape, rows, row_bits in self.steps:
            bits += min(block[0], rows) * row_bits
            block = linear.reads(block, shape)
        for pooled, shape in self.ors:
            block = (block[0], *pooled.window.under(block, shape))
        return bits, prod(block)


@dataclass(frozen=True)
class _Layer:
    """What it takes to map one layer. outgoing: how many projections leave it."""

    node: Population | Readout
    limits: CoreLimits
    incoming: tuple[_Path, ...]
    outgoing: int

    def cut(self) -> LayerMapping:
        """The cut with the fewest cores; of several, the one whose cores are least full."""
        one = self._needs(tuple(1 for _ in self.node.shape))
        divide = any(one[name] > getattr(self.limits, name) for name in DIVIDED)
        best: LayerMapping | None = None
        for count, block in sorted(_blocks(self.node.shape)):
            if best is not None and count > best.total:
                break
            found = self._mapping(block, divide)
            rank = (found.total, found.fullness)
            if found.fullness <= 1 and (best is None or rank < (best.total, best.fullness)):
                best = found
        if best is None:
            raise ArlifError(
                f"no core of {self.limits.name} holds a neuron of {self.node.name}, which takes "
                f"{one['neurons']} compartments and {one['output_axons']} output axons"
            )
        return best

    def _mapping(self, block: Shape, divide: bool) -> LayerMapping:
        """The layer in such blocks; divide: over so many cores each that its inputs fit."""
        needs = self._needs(block)
        offers = {name: getattr(self.limits, name) for name in needs}
        pieces = max(ceil(needs[n] / offers[n]) for n in DIVIDED) if divide else 1
        needs |= {name: ceil(needs[name] / pieces) for name in DIVIDED}
        return LayerMapping(
            self.node.name,
            tuple(ceil(n / size) for n, size in zip(self.node.shape, block, strict=True)),
            pieces,
            needs,
            {name: need / offers[name] for name, need in needs.items()},
        )

    def _needs(self, block: Shape) -> dict[str, int]:
        """What a block needs, by resource."""
        behind = [path.needs(block) for path in self.incoming]
        return {
            "neurons": prod(block) * self._compartments(),
            "synaptic_bits": sum(bits for bits, _ in behind),
            "input_axons": sum(sources for _, sources in behind),
            "output_axons": prod(block) * self.outgoing,
        }

    def _compartments(self) -> int:
        """Compartments that one neuron takes."""
        node = self.node
        kind = neuron_title(node.neuron) if isinstance(node, Population) else type(node).__name__
        return self.limits.compartments.get(kind, 1)


def _blocks(shape: Shape) -> Iterator[tuple[int, Shape]]:
    """Every way to cut a shape into equal blocks: how many, and the largest of them."""
    sizes = [sorted({ceil(n / parts) for parts in range(1, n + 1)}) for n in shape]
    for block in product(*sizes):
        yield prod(ceil(n / size) for n, size in zip(shape, block, strict=True)), block


def _rows(linear: LinearMap) -> tuple[int, int]:
    """How many rows of weights a map keeps, and the bits of one."""
    weights = linear.stored_weights()
    return (0, 0) if weights is None else (len(weights), weight_bits(weights) * weights[0].size)
