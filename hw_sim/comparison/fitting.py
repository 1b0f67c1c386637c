"""Integers for a network that comes as it is: units and widths that fit, and what they change."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from arlif.base.errors import ArlifError, require
from arlif.core.network import Input, QuantizedNetwork
from arlif.quantize import Precision, quantize
from arlif.quantize.linearized import LinearizedNetwork
from arlif.quantize.reach import reach
from arlif.quantize.scale_free import fitted, free_constants
from hw_sim.comparison.agreement import agreement

TOLERATED = 0.0001
"""The share of a layer's spikes above which numbers become wider, where they may.

Other inputs change several times as many.
"""

RATES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)
"""How often the inputs of a network fire that nobody has shown us, one sample each."""

NEURON_STEPS = 1 << 24
"""About how many are looked at."""
MOST_NUMBERS = 1 << 28
"""Of a step of random inputs, and of what neurons answer: a small file may say any shape."""
SHOWN = 32
"""Samples of calibration inputs that are looked at, the first ones."""
SATURATED = 0.01
"""The share of states at the format's limit that is worth a warning."""


@dataclass(frozen=True)
class Fit:
    """network: the integers. found: what agreement says, and each layer's rate of spikes in float.

    wide: whether states and weights are wider than was asked for. warnings: sentences for a user.
    """

    network: QuantizedNetwork
    found: dict[str, Any]
    wide: bool
    warnings: tuple[str, ...]


def fit(
    module: nn.Module,
    linear: LinearizedNetwork,
    source: Input,
    real: Tensor,
    time_steps: int,
    precision: Precision,
    may_widen: bool,
) -> Fit:
    """The integer network whose scale-free populations have the units that typical inputs want.

    real: typical inputs, [1, N, *shape] (static) or [T, N, *shape], any T up to time_steps.
    may_widen: states and weights get more bits than `precision` says where too many spikes change.
    Raises ArlifError where numbers do not fit.
    """
    steps = time_steps if linear.static else len(real)
    shown = (source.nearest(real.double()) * source.scale).numpy()
    reaches = reach(linear, shown, steps)

    def attempt(fine: bool) -> Fit:
        precise = fitted(linear, source, precision, reaches, fine)
        network = quantize(precise, source, precision, time_steps)
        found = agreement(module, replace(network, time_steps=steps), real)
        for name, row in found["layers"].items():
            row["rate"] = reaches[name].rate
        silent = {p.name for p in network.populations if not p.neuron.fires}
        return Fit(network, found, fine, tuple(_warnings(found, silent)))

    try:
        narrow = attempt(False)
    except ArlifError:
        if not may_widen:
            raise
        return attempt(True)
    free = {p.name for p in linear.populations if free_constants(p.neuron) is not None}
    if not may_widen or _changed(narrow, free) <= TOLERATED:
        return narrow
    try:
        wide = attempt(True)
    except ArlifError:
        return narrow
    return wide if _changed(wide, free) < _changed(narrow, free) else narrow


def typical(linear: LinearizedNetwork, time_steps: int) -> Tensor:
    """Inputs for a network that nobody has shown us: random spikes, or random static frames.

    Raises ArlifError where a step of them, or of its neurons, is more than MOST_NUMBERS.
    """
    generator = torch.Generator().manual_seed(0)
    shape = linear.input_shape
    neurons = sum(prod(p.current.shape) for p in linear.populations) or 1
    room = MOST_NUMBERS // (len(RATES) * max(neurons, prod(shape)))
    require(
        room >= 1,
        f"random inputs are for networks of at most {MOST_NUMBERS // len(RATES):,} inputs and "
        f"neurons, and this one takes {prod(shape):,} and has {neurons:,}; give --calibrate",
    )
    if linear.static:
        frames = torch.rand(1, len(RATES), *shape, generator=generator)
        return frames.round() if linear.binary_input else frames
    least = max(4, min(32, room))
    steps = min(time_steps, max(least, NEURON_STEPS // (neurons * len(RATES))))
    rates = torch.tensor(RATES).view(1, -1, *(1 for _ in shape))
    return (torch.rand(steps, len(RATES), *shape, generator=generator) < rates).float()


def _changed(fit: Fit, names: set[str]) -> float:
    return max(
        (row["changed"] for n, row in fit.found["layers"].items() if n in names), default=0.0
    )


def _warnings(found: dict[str, Any], silent: Collection[str]) -> list[str]:
    """silent: populations that fire on no input."""
    warnings = []
    for name, row in found["layers"].items():
        if row["rate"] == 0 and name not in silent:
            warnings.append(
                f"{name} never fires on these inputs: check the time step and the scale of what "
                "the network is given"
            )
        if row["saturated"] > SATURATED:
            warnings.append(
                f"{name}: {100 * row['saturated']:.1f} % of its states lie at the limit of their "
                "format; calibrate with inputs that are like yours, or take a wider preset"
            )
    return warnings
