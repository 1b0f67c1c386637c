"""Integrators whose potentials no neuron and no readout can take up are refused by name."""

from collections.abc import Callable

import pytest
from support.integrators import Branches, between, flat, hard, integrator
from torch import Tensor, nn

import arlif
from arlif import layers
from arlif.base.errors import LoweringError
from arlif.core.real_neurons import RealSynaptic
from arlif.neurons.layer import NeuronLayer
from arlif.neurons.recurrent import Recurrent
from arlif.quantize import linearize

ONE = "have no one decay"
REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "two decays": (lambda: flat(layers.Integrator(0.5, 0.0, 0.5), hard()), "currents decay too"),
    "in a row": (lambda: flat(integrator(), integrator(), hard()), "CubaLI"),
    "in a row behind weights": (
        lambda: flat(integrator(), layers.Linear(5, 4), integrator()),
        "other integrators gave",
    ),
    "soft reset": (lambda: flat(integrator(), arlif.LIF(0.5)), 'reset="hard"'),
    "AR-LIF": (lambda: flat(integrator(), arlif.ARLIF()), r"2 \(ARLIF\).*resets to a potential"),
    "current-based neurons": (
        lambda: flat(integrator(), NeuronLayer(RealSynaptic())),
        "resets to a potential",
    ),
    "unequal decays in front of weights": (
        lambda: flat(integrator(0.0, between(5)), layers.Linear(5, 4), hard()),
        f"3 .*unequal decays.*{ONE}",
    ),
    "branches of unequal decays": (
        lambda: Branches(integrator(), integrator(0.0, 0.25), hard()),
        f"neuron .*added up.*{ONE}",
    ),
    "a branch without": (lambda: Branches(integrator(), nn.Identity(), hard()), ONE),
    "a branch that never leaks": (
        lambda: Branches(layers.Integrator(1.0), nn.Identity(), nn.Identity()),
        "never decay meet",
    ),
    "max pooling": (
        lambda: nn.Sequential(layers.Linear(6, 5), hard(), integrator(), layers.MaxPool2d(2)),
        "max pooling|needs",
    ),
    "a delayed bias": (
        lambda: flat(integrator(), layers.Linear(5, 4), layers.Delay(1), hard()),
        "current cannot wait",
    ),
    "repeated": (
        lambda: nn.Sequential(integrator(), layers.Repeat(4), layers.Linear(6, 5), hard()),
        "Repeat shows one frame",
    ),
    "feedback into integrators": (
        lambda: flat(integrator(), Recurrent(hard(), layers.Linear(5, 5))),
        ONE,
    ),
    "inside a loop": (
        lambda: flat(Recurrent(hard(), nn.Sequential(layers.Linear(5, 5), integrator()))),
        "inside a loop",
    ),
    "a delay inside a loop": (
        lambda: flat(Recurrent(hard(), nn.Sequential(layers.Linear(5, 5), layers.Delay(2)))),
        "inside a loop",
    ),
    "a bias behind what never leaks": (
        lambda: flat(layers.Integrator(1.0), layers.Linear(5, 3)),
        "is added once",
    ),
    "the mean of what never leaks": (lambda: Ended(layers.Integrator(1.0)), "without a mean"),
    "currents that never decay": (lambda: flat(layers.Integrator(0.5, 0.0, 1.0)), "never decay"),
}


class Ended(nn.Module):
    """The mean over time of what integrators give."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.weights, self.layer = layers.Linear(6, 5), layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(self.weights(x)).mean(0)


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_exact_form_is_refused(name: str) -> None:
    make, said = REFUSED[name]
    with pytest.raises(LoweringError, match=said):
        linearize(make(), (6,))
