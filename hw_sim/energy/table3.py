"""Table 3 of the paper from our architectures, and the same rows with nothing left out.

The paper's energy is 4.6 pJ per multiply-accumulate plus 0.9 pJ per accumulate, per time step.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from typing import ClassVar

import numpy as np

from arlif.base.errors import ArlifError, require
from arlif.base.plain_data import STRICT, from_mapping
from arlif.core.integer_neurons import PRESETS
from arlif.core.network import Population
from arlif.core.real_neurons import RealArlif
from arlif.networks import NetworkConfig
from arlif.quantize.neuron_constants import to_integer
from arlif.training import load_recipe
from hw_sim.energy.architecture import DenseLayer, DenseNetwork, dense_network
from hw_sim.energy.catalogue import FLOAT, INTEGER
from hw_sim.energy.models import ArithmeticModel
from hw_sim.energy.operations import update_cost
from hw_sim.energy.prices import FLOAT32_ADD, FLOAT32_MULTIPLY

MULTIPLY_ACCUMULATE_PJ = FLOAT32_MULTIPLY + FLOAT32_ADD
ACCUMULATOR_BITS = 24
"""Wide enough for every accumulator of these networks: int8 weights, fan-in up to 25,088."""

MISSING = "no spike rate: give --rate, or a trained run of this network"


@dataclass(frozen=True)
class Figures:
    """The columns of Table 3, per sample and time step; None where no spike rate is known."""

    parameters_m: float
    flops_m: float
    multiply_accumulates_m: float
    accumulates_m: float | None
    energy_uj: float | None

    __pydantic_config__: ClassVar = STRICT


@dataclass(frozen=True)
class Counting:
    """What is counted.

    wide_shortcuts: strided 1 x 1 convolutions as if they were 3 x 3. flop_biases: one FLOP for each
    bias added. classifier: the last layer's multiply-accumulates. mac_biases: one multiply-
    accumulate for each bias added by a layer that multiplies.
    """

    wide_shortcuts: bool = False
    flop_biases: bool = True
    classifier: bool = True
    mac_biases: bool = False

    __pydantic_config__: ClassVar = STRICT

    def connections(self, layer: DenseLayer) -> int:
        """Multiply-accumulates of a dense evaluation of one layer."""
        return layer.connections * (9 if self.wide_shortcuts and layer.shortcut else 1)

    def multiply_accumulates(self, net: DenseNetwork) -> int:
        """Of the layers whose inputs are no spikes."""
        counted = net.layers if self.classifier else net.layers[:-1]
        return sum(
            self.connections(layer) + self.mac_biases * layer.biases
            for layer in counted
            if not layer.spiking
        )

    def figures(self, net: DenseNetwork, rates: "Rates") -> Figures:
        """The columns of a network whose neurons fire at `rates`."""
        dense = sum(self.connections(layer) for layer in net.layers)
        flops = 2 * dense + self.flop_biases * sum(layer.biases for layer in net.layers)
        multiply = self.multiply_accumulates(net) * 1e-6
        spiking = [layer for layer in net.layers if layer.spiking]
        accumulates = rates.total((layer.source, self.connections(layer)) for layer in spiking)
        return Figures(
            net.parameters * 1e-6,
            flops * 1e-6,
            multiply,
            accumulates,
            None if accumulates is None else energy_uj(multiply, accumulates),
        )


@dataclass(frozen=True)
class Rates:
    """Spikes per neuron and time step: one for all, or those of layers by name, or unknown."""

    every: float | None = None
    layers: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        for rate in (self.every, *(self.layers or {}).values()):
            require(rate is None or 0 <= rate <= 1, f"a spike rate lies in [0, 1], not {rate}")

    def total(self, connections: Iterable[tuple[str, float]]) -> float | None:
        """Millions of accumulates of connections, each number beside the neurons that feed it."""
        found = 0.0
        for source, number in connections:
            rate = self.every if self.layers is None else self.layers.get(source)
            require(
                rate is not None or self.layers is None, f"the neurons {source} have no spike rate"
            )
            if rate is None:
                return None
            found += rate * number * 1e-6
        return found


@dataclass(frozen=True)
class PaperRow:
    """One row of Table 3: its network, by recipe, what the paper prints, and how it counts."""

    name: str
    recipe: str
    printed: Figures
    counting: Counting = field(default_factory=Counting)

    __pydantic_config__: ClassVar = STRICT


@dataclass(frozen=True)
class Table3Row:
    """One row, per sample and time step.

    printed: by the paper. paper_way: ours, counted as the paper counts. true: ours, with biases,
    shortcuts of their own size and every layer. differences: paper_way / printed - 1, of every
    figure that both have. printed_rate: the spike rate that the printed accumulates are.
    formula_uj: the paper's formula on its printed operations. missing: why ours has no accumulates.
    neuron_uj: the neurons' own arithmetic, which the paper leaves out, in 32-bit floating point;
    neuron_integer_uj: in integers of the width needed. with_neurons_uj: true, with neuron_uj.
    events_*: as true, with every pool a sum of events, so that only the first layer multiplies.
    """

    name: str
    recipe: str
    printed: Figures
    paper_way: Figures
    true: Figures
    differences: dict[str, float]
    printed_rate: float
    formula_uj: float
    missing: str
    neurons: int
    neuron_uj: float
    neuron_integer_uj: float
    with_neurons_uj: float | None
    events_multiply_accumulates_m: float
    events_accumulates_m: float | None
    events_with_neurons_uj: float | None


def paper_rows() -> tuple[PaperRow, ...]:
    """The rows of Table 3, with what the paper prints."""
    text = (resources.files("hw_sim.energy") / "table3.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    return tuple(from_mapping(PaperRow, row, "table3.toml") for row in content["rows"])


def row_of(config: NetworkConfig) -> PaperRow:
    """The row whose network this is, whatever T and the neuron. Raises ArlifError, naming all."""
    rows = paper_rows()
    for row in rows:
        theirs = load_recipe(row.recipe).network()
        if (theirs.architecture, theirs.input_shape, theirs.classes) == (
            config.architecture,
            config.input_shape,
            config.classes,
        ):
            return row
    raise ArlifError(
        "this run's network is none of Table 3, which are those of the recipes "
        + ", ".join(row.recipe for row in rows)
    )


def table3(rate: float | None = None) -> tuple[Table3Row, ...]:
    """All rows. rate: spikes per neuron and time step, 0 to 1. Raises ArlifError."""
    return tuple(table3_row(row, Rates(rate)) for row in paper_rows())


def energy_uj(multiply_accumulates_m: float, accumulates_m: float) -> float:
    """The paper's formula, in millions of operations."""
    return MULTIPLY_ACCUMULATE_PJ * multiply_accumulates_m + FLOAT32_ADD * accumulates_m


def update_pj(model: ArithmeticModel) -> float:
    """One update of an AR-LIF neuron, in pJ."""
    neuron = to_integer(RealArlif(0.5, 1.0, 1.0, 0.0), PRESETS["compact16"])
    gain, bias = np.ones(1, np.uint8), np.zeros(1, np.int32)
    cost = update_cost(Population("row", (1,), neuron, gain, 0, bias), ACCUMULATOR_BITS)
    return sum(n * model.operation(op) for op, n in cost.operations.items())


def table3_row(row: PaperRow, rates: Rates) -> Table3Row:
    """One row, its neurons firing at `rates`. Raises ArlifError where a layer has none."""
    net = dense_network(load_recipe(row.recipe).network())
    printed, ours = row.printed, row.counting.figures(net, rates)
    true = Counting().figures(net, rates)
    assert printed.accumulates_m is not None
    neuron_uj = net.neurons * update_pj(FLOAT) * 1e-6
    spiking = sum(row.counting.connections(layer) for layer in net.layers if layer.spiking)
    graded = net.graded_connections * 1e-6
    fed = [layer for layer in net.layers if not layer.graded]
    events = rates.total((layer.source, layer.connections * layer.window) for layer in fed)
    return Table3Row(
        row.name,
        row.recipe,
        printed,
        ours,
        true,
        _differences(ours, printed),
        printed_rate=printed.accumulates_m * 1e6 / spiking,
        formula_uj=energy_uj(printed.multiply_accumulates_m, printed.accumulates_m),
        missing=MISSING if true.accumulates_m is None else "",
        neurons=net.neurons,
        neuron_uj=neuron_uj,
        neuron_integer_uj=net.neurons * update_pj(INTEGER) * 1e-6,
        with_neurons_uj=None if true.energy_uj is None else true.energy_uj + neuron_uj,
        events_multiply_accumulates_m=graded,
        events_accumulates_m=events,
        events_with_neurons_uj=None if events is None else energy_uj(graded, events) + neuron_uj,
    )


def _differences(ours: Figures, printed: Figures) -> dict[str, float]:
    """Ours relative to the paper's, of every figure that both have."""
    pairs = {f.name: (getattr(ours, f.name), getattr(printed, f.name)) for f in fields(Figures)}
    return {n: mine / theirs - 1 for n, (mine, theirs) in pairs.items() if mine is not None}
