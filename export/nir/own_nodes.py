"""What NIR has no node for: quantized populations, ORs, some maps, shifts behind projections."""

from dataclasses import dataclass
from typing import Any

import nir
import numpy as np

from arlif.core.maps import LinearMap, Shape, Window
from arlif.core.network import Population
from export.population_tree import population_tree
from export.records import record_tree, typed_tree

POPULATION = "Population"
"""The NIR type of a quantized population, whatever its neuron: none of NIR's own."""


@dataclass(eq=False)
class PopulationNode(nir.NIRNode):
    """A population: see export.population_tree."""

    population: Population

    def __post_init__(self) -> None:
        self.input_type = {"input": np.array(self.population.shape)}
        self.output_type = {"output": np.array(self.population.shape)}

    def to_dict(self) -> dict[str, Any]:
        return {"type": POPULATION, **population_tree(self.population)}


@dataclass(eq=False)
class MapNode(nir.NIRNode):
    """A linear map for inputs of `shape`; its class is named in arlif.core.maps.MAPS."""

    linear: LinearMap
    shape: Shape

    def __post_init__(self) -> None:
        self.input_type = {"input": np.array(self.shape)}
        self.output_type = {"output": np.array(self.linear.output_shape(self.shape))}

    def to_dict(self) -> dict[str, Any]:
        return {"type": "Map", "map": typed_tree(self.linear)}


@dataclass(eq=False)
class OrNode(nir.NIRNode):
    """1 where any spike lies under the window, of spikes of `shape`, (C, H, W)."""

    window: Window
    shape: Shape

    def __post_init__(self) -> None:
        self.input_type = {"input": np.array(self.shape)}
        to = (self.shape[0], *self.window.output_size(self.shape))
        self.output_type = {"output": np.array(to)}

    def to_dict(self) -> dict[str, Any]:
        return {"type": "Or", "window": record_tree(self.window)}


@dataclass(eq=False)
class Shift(nir.NIRNode):
    """y(t + delay) = x(t) << shift, on integers; delay: whole time steps."""

    shape: Shape
    shift: int
    delay: int

    def __post_init__(self) -> None:
        self.input_type = {"input": np.array(self.shape)}
        self.output_type = {"output": np.array(self.shape)}

    def to_dict(self) -> dict[str, Any]:
        return {"type": "Shift", "shift": self.shift, "delay": self.delay}
