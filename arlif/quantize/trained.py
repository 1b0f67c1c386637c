"""A trained run, ready to be quantized: its linear layers, and its input as its data want it."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from arlif.core.nodes import Input
from arlif.quantize.linearized import LinearizedNetwork
from arlif.quantize.lowering import linearize
from arlif.quantize.rounding import calibrate_input
from arlif.training.recipe import Recipe
from arlif.training.train import load_trained

CALIBRATION_SAMPLES = 1024
"""Training samples, spread over classes, whose range the input format is fitted to."""


@dataclass(frozen=True, eq=False)
class Quantizable:
    """A trained network, ready for its numbers to be chosen.

    linear: its layers between populations, made linear. source: its input, scaled to fit
    `calibration`: real inputs, time first, [1, N, *shape] or [T, N, *shape].
    """

    module: nn.Module
    recipe: Recipe
    linear: LinearizedNetwork
    source: Input
    calibration: Tensor

    @classmethod
    def of(cls, module: nn.Module, recipe: Recipe, calibration: Tensor) -> "Quantizable":
        """The network that a recipe has trained. Raises ArlifError where it has no integers."""
        linear = linearize(module, recipe.network().input_shape)
        source = calibrate_input(
            calibration.numpy(), linear.input_shape, linear.static, linear.binary_input
        )
        return cls(module, recipe, linear, source, calibration)


def load_quantizable(
    run: Path, data_folder: Path | None = None, samples: int = CALIBRATION_SAMPLES
) -> Quantizable:
    """The trained network of a run and its input as so many training `samples` want it."""
    module, recipe = load_trained(run)
    dataset = recipe.load_data(data_folder)
    return Quantizable.of(module, recipe, dataset.network_input(dataset.train.some(samples)))
