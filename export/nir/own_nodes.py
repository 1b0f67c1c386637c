"""What NIR has no node for: quantized populations and the shift at the end of a projection."""

from dataclasses import asdict, dataclass
from typing import Any

import nir
import numpy as np

from arlif.core.maps import Shape
from arlif.core.network import Population


@dataclass(eq=False)
class PopulationNode(nir.NIRNode):
    """A population; its NIR type is its neuron's name in arlif.core.integer_neurons.NEURONS."""

    population: Population

    def __post_init__(self) -> None:
        self.input_type = {"input": np.array(self.population.shape)}
        self.output_type = {"output": np.array(self.population.shape)}

    def to_dict(self) -> dict[str, Any]:
        tree = asdict(self.population)
        del tree["name"]
        return {"type": type(self.population.neuron).__name__, **tree}


@dataclass(eq=False)
class Shift(nir.NIRNode):
    """y = x << shift, on integers."""

    shape: Shape
    shift: int

    def __post_init__(self) -> None:
        self.input_type = {"input": np.array(self.shape)}
        self.output_type = {"output": np.array(self.shape)}

    def to_dict(self) -> dict[str, Any]:
        return {"type": "Shift", "shift": self.shift}
