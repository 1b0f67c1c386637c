"""Which neurons have kernels, under which number, and what a kernel reads of each."""

from enum import IntEnum
from typing import NamedTuple

from arlif.core.neuron import Neuron
from arlif.core.real_neurons import (
    RealArlif,
    RealClif,
    RealLifHard,
    RealLifSoft,
    RealLifSubtract,
    RealLifWeighted,
)


class Kind(IntEnum):
    """A neuron's number in every kernel, as in kinds.h."""

    ARLIF = 0
    ARLIF_WITHOUT_MEMORY = 1
    LIF_SOFT = 2
    LIF_HARD = 3
    LIF_SUBTRACT = 4
    LIF_WEIGHTED = 5
    CLIF = 6


class Kernel(NamedTuple):
    """How a real neuron becomes a kernel's numbers: attributes that are constants, and learned."""

    neuron: type[Neuron]
    constants: tuple[str, ...] = ("threshold", "decay")
    learned: tuple[str, ...] = ()


KERNELS = {
    Kind.ARLIF: Kernel(RealArlif, ("v_threshold", "decay"), ("alpha", "beta")),
    Kind.ARLIF_WITHOUT_MEMORY: Kernel(RealArlif, ("v_threshold", "decay"), ("beta",)),
    Kind.LIF_SOFT: Kernel(RealLifSoft),
    Kind.LIF_HARD: Kernel(RealLifHard),
    Kind.LIF_SUBTRACT: Kernel(RealLifSubtract, learned=("amount",)),
    Kind.LIF_WEIGHTED: Kernel(RealLifWeighted, ("threshold",), ("decay", "gain")),
    Kind.CLIF: Kernel(RealClif),
}
STATES: dict[int, int] = {
    kind: len(kernel.neuron.state_type._fields) for kind, kernel in KERNELS.items()
}
"""How many state variables each kind of neuron has."""


def kind_of(neuron: Neuron) -> Kind | None:
    """The kernel that runs a neuron; None where none does."""
    if type(neuron) is RealArlif:
        return Kind.ARLIF if neuron.memory else Kind.ARLIF_WITHOUT_MEMORY
    if type(neuron) is RealLifSubtract and neuron.hold != 0:
        return None
    for kind, kernel in KERNELS.items():
        if type(neuron) is kernel.neuron:
            return kind
    return None
