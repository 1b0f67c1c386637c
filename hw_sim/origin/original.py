"""The float network of a run: as its training made it, or as it was imported."""

from dataclasses import dataclass
from functools import cached_property

from torch import nn

from arlif.arithmetic.surrogates import STANDARD, Surrogate
from arlif.core.maps import Shape
from arlif.quantize import linearize
from arlif.quantize.linearized import LinearizedNetwork
from arlif.training import Recipe
from arlif.training.schedule import Schedule


@dataclass(frozen=True, eq=False)
class Original:
    """The float network of a run, in eval mode on the CPU.

    input_shape: of one frame. static: whether it shows one frame at every step. recipe: what it was
    trained by; None where it is imported. warnings: what a user should know before using it.
    """

    module: nn.Module
    input_shape: Shape
    static: bool
    time_steps: int
    recipe: Recipe | None = None
    warnings: tuple[str, ...] = ()

    @cached_property
    def linear(self) -> LinearizedNetwork:
        """Its layers between populations, made linear. Raises LoweringError."""
        return linearize(self.module, self.input_shape)

    @property
    def frames(self) -> int:
        """How many frames a sample has."""
        return 1 if self.static else self.time_steps

    @property
    def schedule(self) -> Schedule:
        """How it is trained on: as its recipe says, else by default."""
        return self.recipe or Schedule()

    @property
    def surrogate(self) -> Surrogate:
        """Gradient of a spike in training."""
        return self.recipe.neuron.gradient if self.recipe else STANDARD
