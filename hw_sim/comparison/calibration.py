"""Choosing number formats from data: what each choice changes, and how often it saturates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from arlif.base.errors import ArlifError, require
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import PRESETS, Numbers
from arlif.core.network import Input, QuantizedNetwork
from arlif.core.tables import TableDomain
from arlif.quantize import Precision, quantize
from arlif.quantize.linearized import LinearizedNetwork
from hw_sim.comparison.agreement import agreements

CANDIDATES: tuple[Numbers, ...] = (
    Numbers(FixedPointFormat(10, 5), 6, TableDomain(64, -4.0, 4.0)),
    Numbers(FixedPointFormat(12, 6), 7, TableDomain(128, -4.0, 4.0)),
    Numbers(FixedPointFormat(14, 8), 8, TableDomain(128, -4.0, 4.0)),
    Numbers(FixedPointFormat(16, 8), 8, TableDomain(128, -4.0, 4.0)),
    PRESETS["compact16"],
    Numbers(FixedPointFormat(16, 10), 10, TableDomain(256, -8.0, 8.0)),
    PRESETS["loihi24"],
)
"""Formats worth trying, narrowest state first."""

TOLERATED = 0.01
"""The share of decisions that a format may change."""


@dataclass(frozen=True)
class LayerEffect:
    """What quantization does to one layer; shares from 0 to 1.

    spikes_changed: of all neurons and steps. saturated: of all state values, at a format's limit.
    """

    name: str
    spikes_changed: float
    saturated: float


@dataclass(frozen=True)
class QuantizationReport:
    """What one choice of numbers changes on calibration samples.

    outputs_changed: samples decided otherwise than by the float network.
    """

    precision: Precision
    samples: int
    outputs_changed: int
    layers: tuple[LayerEffect, ...]

    def keeps(self, outputs_changed: float = TOLERATED) -> bool:
        """Whether it changes at most this share of decisions."""
        return self.outputs_changed <= outputs_changed * self.samples

    @property
    def spikes_changed(self) -> float:
        """The worst layer's share."""
        return max((layer.spikes_changed for layer in self.layers), default=0.0)

    @property
    def saturated(self) -> float:
        """The worst layer's share."""
        return max((layer.saturated for layer in self.layers), default=0.0)


def calibrate_numbers(
    module: nn.Module,
    linear: LinearizedNetwork,
    source: Input,
    real: Tensor,
    time_steps: int,
    weight_bits: int = 8,
    candidates: Sequence[Numbers] = CANDIDATES,
) -> tuple[QuantizationReport, ...]:
    """A report for every candidate that the network fits into, in the order given.

    real: representative inputs, [1, N, *shape] (static) or [T, N, *shape]. Takes the trained module
    as the truth. Raises ArlifError where the network fits into none of them.
    """
    return reports_on(
        module,
        lambda precision: quantize(linear, source, precision, time_steps),
        real,
        weight_bits,
        candidates,
    )


def reports_on(
    module: nn.Module,
    quantized: Callable[[Precision], QuantizedNetwork],
    real: Tensor,
    weight_bits: int = 8,
    candidates: Sequence[Numbers] = CANDIDATES,
) -> tuple[QuantizationReport, ...]:
    """What `calibrate_numbers` returns, where something else chooses the integers.

    quantized: the integers in chosen numbers; raises ArlifError where they do not fit.
    """
    networks: dict[Precision, QuantizedNetwork] = {}
    reasons = []
    for numbers in candidates:
        precision = Precision(numbers, weight_bits)
        try:
            networks[precision] = quantized(precision)
        except ArlifError as error:
            reasons.append(f"{numbers.state_format}: {error}")
    require(bool(networks), f"the network fits into no candidate: {'; '.join(reasons)}")
    found = agreements(module, tuple(networks.values()), real)
    return tuple(_report(*pair) for pair in zip(networks, found, strict=True))


def narrowest(
    reports: Sequence[QuantizationReport], outputs_changed: float = TOLERATED
) -> QuantizationReport:
    """The first report that changes at most a share of decisions; else that of the fewest."""
    for report in reports:
        if report.keeps(outputs_changed):
            return report
    return min(reports, key=lambda report: report.outputs_changed)


def _report(precision: Precision, found: dict[str, Any]) -> QuantizationReport:
    layers = tuple(
        LayerEffect(name, row["changed"], row["saturated"]) for name, row in found["layers"].items()
    )
    return QuantizationReport(precision, found["samples"], found["decisions_changed"], layers)
