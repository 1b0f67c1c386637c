"""Table 3 of the paper from our architectures, and the same rows with nothing left out.

The paper's energy is 4.6 pJ per multiply-accumulate plus 0.9 pJ per accumulate, per time step.
"""

import tomllib
from dataclasses import dataclass, field, fields
from importlib import resources
from typing import ClassVar

import numpy as np

from arlif.base.errors import require
from arlif.base.plain_data import STRICT, from_mapping
from arlif.core.integer_neurons import PRESETS
from arlif.core.network import Population
from arlif.core.real_neurons import RealArlif
from arlif.quantize.neuron_constants import to_integer
from arlif.training import load_recipe
from hw_sim.energy.architecture import DenseNetwork, dense_network
from hw_sim.energy.catalogue import FLOAT, INTEGER
from hw_sim.energy.models import ArithmeticModel
from hw_sim.energy.operations import update_cost
from hw_sim.energy.prices import FLOAT32_ADD, FLOAT32_MULTIPLY

MULTIPLY_ACCUMULATE_PJ = FLOAT32_MULTIPLY + FLOAT32_ADD
ACCUMULATOR_BITS = 24
"""Wide enough for every accumulator of these networks: int8 weights, fan-in up to 25,088."""


@dataclass(frozen=True)
class Published:
    """Figures of one row of the paper; None where we do not have the printed value."""

    parameters_m: float | None = None
    flops_m: float | None = None
    multiply_accumulates_m: float | None = None
    accumulates_m: float | None = None
    energy_uj: float | None = None

    __pydantic_config__: ClassVar = STRICT


@dataclass(frozen=True)
class PaperRow:
    """One row of Table 3: its network, by recipe, and what the paper prints."""

    name: str
    recipe: str
    published: Published = field(default_factory=Published)

    __pydantic_config__: ClassVar = STRICT


@dataclass(frozen=True)
class Table3Row:
    """One row computed, per sample and time step.

    rate: spikes per neuron and step that accumulates assume; None where none is known, then
    accumulates and energies are None too. neuron_uj: the neurons' own arithmetic, which the paper
    leaves out, in 32-bit floating point; neuron_integer_uj: in integers of the width needed.
    event_*: with every pool a sum of events, so that only the first layer multiplies.
    """

    name: str
    parameters_m: float
    flops_m: float
    multiply_accumulates_m: float
    spiking_connections_m: float
    neurons: int
    neuron_uj: float
    neuron_integer_uj: float
    event_multiply_accumulates_m: float
    rate: float | None
    accumulates_m: float | None
    energy_uj: float | None
    energy_with_neurons_uj: float | None
    event_accumulates_m: float | None
    event_energy_with_neurons_uj: float | None
    published: Published
    differences: dict[str, float]


def paper_rows() -> tuple[PaperRow, ...]:
    """The rows of Table 3, with what the paper prints as far as we have it."""
    text = (resources.files("hw_sim.energy") / "table3.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    return tuple(from_mapping(PaperRow, row, "table3.toml") for row in content["rows"])


def table3(rate: float | None = None) -> tuple[Table3Row, ...]:
    """All rows.

    rate: spikes per neuron and time step, 0 to 1, where the paper's accumulates do not say it.
    Raises ArlifError where the rate is none.
    """
    require(rate is None or 0 <= rate <= 1, f"a spike rate lies in [0, 1], not {rate}")
    return tuple(table3_row(row, rate) for row in paper_rows())


def energy_uj(multiply_accumulates_m: float, accumulates_m: float) -> float:
    """The paper's formula, in millions of operations."""
    return MULTIPLY_ACCUMULATE_PJ * multiply_accumulates_m + FLOAT32_ADD * accumulates_m


def update_pj(model: ArithmeticModel) -> float:
    """One update of an AR-LIF neuron, in pJ."""
    neuron = to_integer(RealArlif(0.5, 1.0, 1.0, 0.0), PRESETS["compact16"])
    gain, bias = np.ones(1, np.uint8), np.zeros(1, np.int32)
    cost = update_cost(Population("row", (1,), neuron, gain, 0, bias), ACCUMULATOR_BITS)
    return sum(n * model.operation(op) for op, n in cost.operations.items())


def table3_row(row: PaperRow, rate: float | None) -> Table3Row:
    """One row; see table3."""
    net = dense_network(load_recipe(row.recipe).network())
    printed = row.published.accumulates_m
    if printed is not None:
        rate = printed * 1e6 / net.spiking_connections
    neuron_uj = net.neurons * update_pj(FLOAT) * 1e-6
    computed = _with_rate(net, rate, neuron_uj)
    result = Table3Row(
        row.name,
        parameters_m=net.parameters * 1e-6,
        flops_m=net.flops * 1e-6,
        multiply_accumulates_m=net.multiply_accumulates * 1e-6,
        spiking_connections_m=net.spiking_connections * 1e-6,
        neurons=net.neurons,
        neuron_uj=neuron_uj,
        neuron_integer_uj=net.neurons * update_pj(INTEGER) * 1e-6,
        event_multiply_accumulates_m=net.graded_connections * 1e-6,
        rate=rate,
        accumulates_m=computed[0],
        energy_uj=computed[1],
        energy_with_neurons_uj=computed[2],
        event_accumulates_m=computed[3],
        event_energy_with_neurons_uj=computed[4],
        published=row.published,
        differences={},
    )
    result.differences.update(_differences(result))
    return result


def _with_rate(
    net: DenseNetwork, rate: float | None, neuron_uj: float
) -> tuple[float | None, float | None, float | None, float | None, float | None]:
    """Accumulates and energies that need a spike rate."""
    if rate is None:
        return None, None, None, None, None
    accumulates = net.spiking_connections * rate * 1e-6
    energy = energy_uj(net.multiply_accumulates * 1e-6, accumulates)
    events = net.event_connections * rate * 1e-6
    event_energy = energy_uj(net.graded_connections * 1e-6, events)
    return accumulates, energy, energy + neuron_uj, events, event_energy + neuron_uj


def _differences(row: Table3Row) -> dict[str, float]:
    """Ours relative to the paper's, for every figure that it prints: ours / theirs - 1."""
    return {
        f.name: getattr(row, f.name) / theirs - 1
        for f in fields(Published)
        if (theirs := getattr(row.published, f.name))
    }
