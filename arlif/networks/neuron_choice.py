"""Which neuron a network uses, by name."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from arlif.arithmetic.surrogates import SURROGATES, Surrogate
from arlif.base.errors import require
from arlif.base.lazy import named
from arlif.base.plain_data import STRICT
from arlif.core.neuron import Neuron
from arlif.core.nodes import MOST_STEPS
from arlif.networks.user_neuron import class_of, is_own, load_neuron
from arlif.neurons import (
    ARLIF,
    CLIF,
    DALIF,
    LIF,
    PLIF,
    PSN,
    AglLIF,
    AsglLIF,
    FptLIF,
    LearnableResetLIF,
    MaskedPSN,
    MpePSN,
    NeuronLayer,
    SlidingPSN,
    SpikingNeuron,
)


@dataclass(frozen=True)
class NeuronConfig:
    """A neuron's name and constants.

    name: one of NEURONS (docs/neurons.md), or a file and a class in it, my.py:MyNeuron; the
    file is run. Of such a class, constants named decay and v_threshold get these values, the
    others keep their defaults. decay: k = 1 - 1/tau in [0, 1]. v_threshold: above 0. width:
    width of the surrogate gradient at half its height. surrogate: its shape, "rectangle" or
    "triangle". order: time steps that a masked or sliding parallel neuron reads, 1 to
    MOST_STEPS. PSN, masked and sliding PSN have no use for decay and threshold.
    free_alpha: alpha of AR-LIF may leave [0, 1], as in the released programs. strict: AR-LIF
    fires on h > theta, not at theta itself. Raises ArlifError.
    """

    name: str = "arlif"
    decay: float = 0.5
    v_threshold: float = 1.0
    width: float = 1.0
    surrogate: Literal["rectangle", "triangle"] = "rectangle"
    order: int = 2
    free_alpha: bool = False
    strict: bool = False

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        require(
            self.name in NEURONS or is_own(self.name),
            f"no neuron is called {self.name!r}; there are {', '.join(NEURONS)}; one of your own "
            "is named by its file and class, my.py:MyNeuron",
        )
        for name in ("decay", "v_threshold", "width"):
            value = getattr(self, name)
            require(math.isfinite(value), f"neuron {name} must be a finite number, not {value}")
        require(
            1 <= self.order <= MOST_STEPS,
            f"a neuron's order lies in 1 to {MOST_STEPS:,}, not {self.order}",
        )
        neuron = make_neuron(self, time_steps=1)
        for name in ("free_alpha", "strict"):
            require(
                isinstance(neuron, ARLIF) or not getattr(self, name),
                f"{name} is for AR-LIF, and {self.label} knows no such thing: leave it out",
            )
        require(
            not isinstance(neuron, OWN_SURROGATE) or self.surrogate == "rectangle",
            f"{self.label} trains with a surrogate of its own: leave out surrogate",
        )

    @property
    def label(self) -> str:
        """The name without a file."""
        return class_of(self.name)

    @property
    def gradient(self) -> Surrogate:
        """The surrogate gradient of a spike."""
        return SURROGATES[self.surrogate](self.width)


def make_neuron(config: NeuronConfig, time_steps: int) -> SpikingNeuron:
    """A new neuron layer over [T, N, ...]. Raises ArlifError on constants out of range."""
    own = is_own(config.name)
    make = layer_of(load_neuron(config.name)) if own else NEURONS[config.name]
    neuron = make(config, time_steps)
    neuron.surrogate = config.gradient
    return neuron


OWN_SURROGATE = (AglLIF, AsglLIF, FptLIF)
"""Neurons whose training takes another gradient than a recipe's surrogate."""

Make = Callable[[NeuronConfig, int], SpikingNeuron]
"""Makes a neuron layer for so many time steps."""


def layer_of(neuron: type[Neuron] | str) -> Make:
    """Makes layers of a class, whose constants decay and v_threshold, if any, are the recipe's.

    neuron: the class, or where it is, such as "arlif.neurons.NAME:CLASS".
    """

    def make(config: NeuronConfig, time_steps: int) -> SpikingNeuron:
        kind = named(neuron) if isinstance(neuron, str) else neuron
        shared = [name for name in ("decay", "v_threshold") if name in kind.parameters()]
        constants = {name: getattr(config, name) for name in shared}
        return NeuronLayer(kind(**constants))

    return make


def _arlif(alpha: bool = True, beta: bool = True, memory: bool = True) -> Make:
    """AR-LIF whose alpha = 1 or beta = 0 may be frozen, the ablations of Table 2."""

    def make(config: NeuronConfig, time_steps: int) -> SpikingNeuron:
        neuron = ARLIF(
            config.decay,
            config.v_threshold,
            memory,
            free_alpha=config.free_alpha,
            strict=config.strict,
        )
        neuron.alpha_raw.requires_grad_(alpha)
        neuron.beta_raw.requires_grad_(beta)
        return neuron

    return make


NEURONS: dict[str, Make] = {
    "arlif": _arlif(),
    "arlif-alpha1": _arlif(alpha=False),
    "arlif-theta1": _arlif(beta=False),
    "arlif-alpha1-theta1": _arlif(alpha=False, beta=False),
    "arlif-memoryless": _arlif(alpha=False, memory=False),
    "lif-soft": lambda c, steps: LIF(c.decay, c.v_threshold, "soft"),
    "lif-hard": lambda c, steps: LIF(c.decay, c.v_threshold, "hard"),
    "lif-learnable": lambda c, steps: LearnableResetLIF(c.decay, c.v_threshold),
    "lif-asgl": lambda c, steps: AsglLIF(c.decay, c.v_threshold),
    "lif-agl": lambda c, steps: AglLIF(c.decay, c.v_threshold),
    "lif-fpt": lambda c, steps: FptLIF(c.decay, c.v_threshold),
    "plif": lambda c, steps: PLIF(c.decay, c.v_threshold),
    "dalif": lambda c, steps: DALIF(c.decay, c.v_threshold),
    "clif": lambda c, steps: CLIF(c.decay, c.v_threshold),
    "psn": lambda c, steps: PSN(steps),
    "psn-masked": lambda c, steps: MaskedPSN(steps, min(c.order, steps)),
    "psn-sliding": lambda c, steps: SlidingPSN(c.order),
    "psn-mpe": lambda c, steps: MpePSN(c.decay, c.v_threshold),
}
"""Every neuron by the name it has in recipes."""
