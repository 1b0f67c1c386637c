"""quantize_run: from a float network to integers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from arlif.artifacts import MODEL, NIR, QUANTIZE
from arlif.base.bounded import Count, Share
from arlif.base.errors import require
from arlif.base.plain_data import BESIDE
from arlif.core.network import QuantizedNetwork
from arlif.data import Dataset
from arlif.data.own import OwnData, OwnSamples
from arlif.quantize import Precision, QatNetwork
from arlif.quantize.finetune import finetune, finetuning
from arlif.quantize.presets import STOCK_LAVA, read_numbers, read_quantizer
from arlif.quantize.scale_free import natural
from arlif.run_content import read_checked
from arlif.run_folder import Run, writes
from arlif.training import read_recipe
from export.nir import write_nir
from hw_sim.comparison.agreement import agreement
from hw_sim.origin.of_run import load_original
from hw_sim.pipeline.defaults import CHECKED_SAMPLES, numbers_or_default
from hw_sim.pipeline.parent import Parent, load_parent, parent_of
from hw_sim.pipeline.samples import Samples, load_spread, require_own


@writes("quantize")
def quantize_run(
    folder: Path,
    preset: str | None = None,
    weight_bits: int | None = None,
    qat: int = 0,
    samples: int = CHECKED_SAMPLES,
    data_folder: Path | None = None,
    own: OwnData | None = None,
) -> dict[str, Any]:
    """Quantize a run; writes network.nir and quantize.json, returns the latter's content.

    preset: number formats, see arlif.quantize.presets; None: compact16 and 8 bits, of an imported
    network more where a layer needs it. qat: epochs of quantization-aware training; 0 rounds only.
    samples: on so many float and integer network are compared: of the test split, of own data, or
    of what an imported network was imported with. own: a user's data, in place of the run's; where
    it trains, one sample of five is left out and compared on.
    Raises ArlifError where the run has no float network or its numbers do not fit.
    """
    name, bits = numbers_or_default(preset, weight_bits)
    read_quantizer(name, bits)  # what is wrong with them comes first
    require(not qat or name != STOCK_LAVA, f"{STOCK_LAVA} is not trained for; leave out --qat")
    run = Run(folder)
    task = _task(run, data_folder, own, samples, train=qat > 0)
    parent = task.parent
    if task.dataset:
        network = _finetuned(parent, Precision(read_numbers(name), bits), qat, task.dataset)
    else:
        network = parent.integers(preset, weight_bits)
    write_nir(network, run.path(NIR))
    judged = task.judged
    result = {
        "preset": name,
        "weight_bits": bits,
        "qat_epochs": qat,
        "judged_on": task.judged_on,
        **agreement(parent.module, parent.over(network, judged.real), judged.real, judged.labels),
    }
    run.write_json(QUANTIZE, result)
    run.record(NIR, QUANTIZE)
    return result


def read_quantized(run: Run, earlier: bool = False) -> dict[str, Any] | None:
    """What quantize_run found; None where it has not run since the training.

    earlier: also of a training before. Raises ArlifError where the file is damaged or of another
    version.
    """
    if not (run.has(QUANTIZE) if earlier else run.is_current(QUANTIZE)):
        return None
    return read_checked(run, _Quantized, QUANTIZE, earlier)


@dataclass(frozen=True)
class _Layer:
    """Shares of spikes that changed and of states at the limits of their format."""

    neurons: Count
    changed: Share
    saturated: Share

    __pydantic_config__: ClassVar = BESIDE


@dataclass(frozen=True)
class _Quantized:
    """What integers were made with, and what that changed; accuracies where there were labels."""

    preset: str
    weight_bits: Count
    qat_epochs: Count
    judged_on: str
    samples: Count
    decisions_changed: Count
    inputs_clipped: Share
    layers: dict[str, _Layer]
    float_accuracy: Share | None = None
    accuracy: Share | None = None

    __pydantic_config__: ClassVar = BESIDE

    def __post_init__(self) -> None:
        require(
            self.decisions_changed <= self.samples,
            f"{self.decisions_changed} of {self.samples} decisions cannot change",
        )
        require(
            (self.float_accuracy is None) == (self.accuracy is None),
            "float_accuracy and accuracy are both known, or none is",
        )


@dataclass(frozen=True, eq=False)
class _Task:
    """A float network, what to train it on, None where it is only rounded, and how it is judged.

    judged_on: in a word, what these samples are.
    """

    parent: Parent
    dataset: Dataset | None
    judged: Samples
    judged_on: str


def _task(
    run: Run, data_folder: Path | None, own: OwnData | None, samples: int, train: bool
) -> _Task:
    folder = run.folder
    run.require(MODEL)
    if own is None and not run.imported:
        recipe = read_recipe(folder)
        dataset = recipe.load_data(data_folder) if train else None
        judged = load_spread(recipe, data_folder, samples)
        return _Task(load_parent(folder, data_folder), dataset, judged, "test")
    if not train:
        parent = load_parent(folder, data_folder, own)
        return _Task(parent, None, parent.some(samples), "random" if parent.random else "own")
    original, given = load_original(folder), require_own(own, run)
    found = given.load(original.input_shape, original.frames)
    classes = original.linear.readout.shape[0]
    dataset = found.as_dataset(str(given.inputs), original.static, classes)
    shown, held = (dataset.network_input(split) for split in (dataset.train, dataset.test))
    parent = parent_of(original, OwnSamples(shown.numpy()))
    return _Task(parent, dataset, Samples(held, dataset.test.labels), "held-out")


def _finetuned(
    parent: Parent, precision: Precision, epochs: int, dataset: Dataset
) -> QuantizedNetwork:
    fitted, steps = parent.fitted(precision), parent.time_steps
    linear = natural(fitted) if parent.imported else fitted
    network = QatNetwork(linear, parent.source, precision, steps, parent.surrogate)
    finetune(network, finetuning(parent.schedule, epochs), dataset)
    return network.quantized()
