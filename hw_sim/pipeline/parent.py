"""The float network of a run, and the data that its numbers are chosen by."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from arlif.arithmetic.surrogates import Surrogate
from arlif.base.errors import ArlifError
from arlif.core.network import Input, QuantizedNetwork
from arlif.data import Split
from arlif.data.own import OwnData, OwnSamples
from arlif.quantize import Precision, calibrate_input, quantize
from arlif.quantize.linearized import LinearizedNetwork
from arlif.quantize.presets import STOCK_LAVA, read_numbers, read_quantizer
from arlif.quantize.reach import Reach, reach
from arlif.quantize.scale_free import fitted
from arlif.quantize.trained import CALIBRATION_SAMPLES, load_quantizable
from arlif.run_folder import Run
from arlif.training.schedule import Schedule
from hw_sim.comparison.agreement import agreement
from hw_sim.comparison.fitting import SHOWN, Fit, fit, typical
from hw_sim.origin.imported import read_imported
from hw_sim.origin.of_run import load_original
from hw_sim.origin.original import Original
from hw_sim.pipeline.defaults import numbers_or_default
from hw_sim.pipeline.samples import Samples


@dataclass(frozen=True, eq=False)
class Parent:
    """A float network, ready for its numbers to be chosen.

    source: its input, scaled to fit `calibration`: real inputs, time first, [1, N, *shape] or
    [T, N, *shape]. imported: whether its scale-free populations get the units that fit best.
    labels: of the calibration inputs, where they are known. random: whether nobody has shown them.
    """

    module: nn.Module
    linear: LinearizedNetwork
    source: Input
    calibration: Tensor
    time_steps: int
    imported: bool
    schedule: Schedule
    surrogate: Surrogate
    labels: NDArray[np.int64] | None = None
    random: bool = False

    def fitted(self, precision: Precision) -> LinearizedNetwork:
        """The network as it is quantized to such numbers."""
        if not self.imported:
            return self.linear
        return fitted(self.linear, self.source, precision, self._reaches)

    def quantized(self, precision: Precision) -> QuantizedNetwork:
        """Its integers. Raises ArlifError where its numbers do not fit."""
        return quantize(self.fitted(precision), self.source, precision, self.time_steps)

    def integers(self, preset: str | None, weight_bits: int | None) -> QuantizedNetwork:
        """Its integers in a preset's numbers; None: the default ones, wider where it needs them.

        Raises ArlifError where there is no such preset, or its numbers do not fit.
        """
        if self.imported:
            return self.fit(preset, weight_bits).network
        quantizer = read_quantizer(*numbers_or_default(preset, weight_bits))
        return quantizer(self.linear, self.source, self.time_steps)

    def fit(self, preset: str | None, weight_bits: int | None) -> Fit:
        """The integers of an imported network, and what they change; see `integers`."""
        name, bits = numbers_or_default(preset, weight_bits)
        linear, steps = self.linear, self.time_steps
        if name == STOCK_LAVA:
            network = read_quantizer(name, bits)(linear, self.source, steps)
            found = agreement(self.module, self.over(network, self.shown), self.shown)
            return Fit(network, found, False, ())
        asked = Precision(read_numbers(name), bits)
        widen = preset is None and weight_bits is None
        return fit(self.module, linear, self.source, self.shown, steps, asked, widen)

    def over(self, network: QuantizedNetwork, real: Tensor) -> QuantizedNetwork:
        """Its integers for as many time steps as real inputs have."""
        return network if self.linear.static else replace(network, time_steps=len(real))

    def some(self, count: int | None) -> Samples:
        """So many of the calibration inputs, None is all, of every class where they are known."""
        if self.labels is None:
            return Samples(self.calibration[:, :count], None)
        part = Split(np.arange(len(self.labels)), self.labels).some(count)
        return Samples(self.calibration[:, part.inputs], part.labels)

    @property
    def shown(self) -> Tensor:
        """The calibration inputs that an imported network is fitted to."""
        return self.calibration[:, :SHOWN]

    @cached_property
    def _reaches(self) -> dict[str, Reach]:
        shown = (self.source.nearest(self.shown.double()) * self.source.scale).numpy()
        steps = self.time_steps if self.linear.static else len(shown)
        return dict(reach(self.linear, shown, steps))


def load_parent(
    folder: Path,
    data_folder: Path | None = None,
    own: OwnData | OwnSamples | None = None,
    samples: int = CALIBRATION_SAMPLES,
) -> Parent:
    """The float network of a run, and the inputs that its numbers are chosen by.

    own: a user's, all of them; None: so many training `samples` of a trained run, of an imported
    one what it was imported with. Raises ArlifError where there is no float network or no data.
    """
    if own is None and not Run(folder).imported:
        trained = load_quantizable(folder, data_folder, samples)
        recipe = trained.recipe
        return Parent(
            trained.module,
            trained.linear,
            trained.source,
            trained.calibration,
            recipe.time_steps,
            imported=False,
            schedule=recipe,
            surrogate=recipe.neuron.gradient,
        )
    original = load_original(folder)
    if own is None:
        own = _as_imported(folder, original)
    elif isinstance(own, OwnData):
        name, own = str(own.inputs), own.load(original.input_shape, original.frames)
        own.require_classes(name, prod(original.linear.readout.shape))
    return parent_of(original, own)


def parent_of(original: Original, own: OwnSamples | None) -> Parent:
    """A float network whose numbers are chosen by own data, or by random inputs."""
    linear = original.linear
    if own is None:
        real = typical(linear, original.time_steps)
        source = Input(linear.input_shape, 1.0, 0, linear.highest, static=linear.static)
    else:
        real = torch.from_numpy(own.real)
        source = calibrate_input(own.real, linear.input_shape, linear.static, linear.binary_input)
    return Parent(
        original.module,
        linear,
        source,
        real,
        original.time_steps,
        imported=original.recipe is None,
        schedule=original.schedule,
        surrogate=original.surrogate,
        labels=None if own is None else own.labels,
        random=own is None,
    )


def _as_imported(folder: Path, original: Original) -> OwnSamples | None:
    """The data that a run was imported with; None where they were random."""
    kept = read_imported(Run(folder)).calibrate
    if kept is None:
        return None
    try:
        return OwnData(Path(kept)).load(original.input_shape, original.frames)
    except ArlifError as error:
        raise ArlifError(
            f"{folder} was imported with --calibrate {kept}: {error}; or give other --inputs"
        ) from None
