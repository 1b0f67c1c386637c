"""What looks at all time steps: a frame that is shown at each, and the last or the largest."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import fx, nn

from arlif.base.errors import LoweringError, require
from arlif.core.maps import Shape
from arlif.core.network import INPUT, OverTime, Reading
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import RealIntegrator, RealSynapticIntegrator
from arlif.layers import Integrator, Repeat
from arlif.quantize.integrated import Integrated
from arlif.quantize.linearized import Current, LinearizedPopulation, Real, RealReading
from arlif.quantize.values import as_current, parts_of


def shown(layer: Repeat, value: Any, time_steps: int | None) -> int:
    """How many time steps a Repeat shows its frame for, which must be `time_steps` where given."""
    require(
        not isinstance(value, Integrated),
        "Repeat shows one frame, and integrators in front of it see no time; put it in front of "
        "them",
        LoweringError,
    )
    terms = value.terms if isinstance(value, Current) else [p.term for p in parts_of(value)]
    require(
        {term.source for term in terms} == {INPUT},
        "Repeat shows the input at every step; put it before any neuron",
        LoweringError,
    )
    wanted = time_steps or layer.time_steps
    require(
        layer.time_steps == wanted,
        f"it shows {layer.time_steps} time steps where the network runs for {wanted}; make them "
        "equal",
        LoweringError,
    )
    return wanted


@dataclass(frozen=True)
class Read:
    """The last or the largest value over time of `value`. path: of the integrators."""

    value: Any
    over: OverTime
    path: str

    @property
    def shape(self) -> Shape:
        """Of each time step."""
        shape: Shape = self.value.shape
        return shape


def over_time(value: Any, over: OverTime, path: str) -> Any:
    """The last or the largest of potentials; the last of integrators that never leak is a sum."""
    if (
        over is OverTime.LAST
        and isinstance(value, Integrated)
        and value.reads_last
        and not (value.behind.any() or value.current_decay.any())
    ):
        return value
    return Read(value, over, path)


def integrator_of(node: fx.Node, modules: dict[str, nn.Module]) -> str:
    """The path of the integrators whose potentials a node reads, or of the layer before it."""
    layers: list[str] = []
    while node.all_input_nodes:
        if node.op == "call_module":
            layers.append(str(node.target))
            if isinstance(modules[layers[-1]], Integrator):
                return layers[-1]
        node = node.all_input_nodes[0]
    return f"{layers[0]}_potential" if layers else "potential"


def read(found: Read, name: str) -> tuple[LinearizedPopulation, RealReading]:
    """Integrators whose potentials are what a readout reads, as a population, and the reading."""
    value = found.value
    if not isinstance(value, Integrated):
        current = as_current(value)
        nothing = np.zeros(current.shape[0])
        value = Integrated(current, np.array(0.0), nothing, np.array(0.0), nothing)
    decay, current_decay, leak = (
        _number(v) for v in (value.decay, value.current_decay, value.leak)
    )
    neuron: Neuron = RealIntegrator(decay)
    if value.current_decay.any():
        neuron = RealSynapticIntegrator(current_decay, decay, leak)
    population = LinearizedPopulation(name, neuron, as_current(value.drive))
    reading = Reading(name, neuron.variables[-1], found.over)
    return population, RealReading(reading, 1.0, value.behind)


def _number(values: Real) -> Any:
    """A number where all are equal."""
    return float(values.flat[0]) if (values == values.flat[0]).all() else values.copy()
