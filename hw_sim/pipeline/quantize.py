"""quantize_run: from a trained network to integers."""

from pathlib import Path
from typing import Any

from arlif.base.errors import require
from arlif.core.network import QuantizedNetwork
from arlif.quantize import Precision, QatNetwork
from arlif.quantize.finetune import finetune, finetuning
from arlif.quantize.presets import STOCK_LAVA, read_numbers, read_quantizer
from arlif.quantize.trained import Quantizable, load_quantizable
from arlif.run_folder import NIR, QUANTIZE, Run
from export.nir import write_nir
from hw_sim.comparison.agreement import agreement
from hw_sim.pipeline.defaults import CHECKED_SAMPLES, DEFAULT_BITS, DEFAULT_PRESET
from hw_sim.pipeline.samples import load_spread


def quantize_run(
    folder: Path,
    preset: str = DEFAULT_PRESET,
    weight_bits: int = DEFAULT_BITS,
    qat: int = 0,
    samples: int = CHECKED_SAMPLES,
    data_folder: Path | None = None,
) -> dict[str, Any]:
    """Quantize a run; writes network.nir and quantize.json, returns the latter's content.

    preset: number formats, see arlif.quantize.presets. qat: epochs of quantization-aware training;
    0 rounds only. samples: test samples on which float and integer network are compared.
    Raises ArlifError where the run is not trained or its numbers do not fit.
    """
    quantizer = read_quantizer(preset, weight_bits)
    require(not qat or preset != STOCK_LAVA, f"{STOCK_LAVA} is not trained for; leave out --qat")
    trained = load_quantizable(folder, data_folder)
    if qat:
        precision = Precision(read_numbers(preset), weight_bits)
        network = _finetuned(trained, precision, qat, data_folder)
    else:
        network = quantizer(trained.linear, trained.source, trained.recipe.time_steps)
    run = Run(folder)
    write_nir(network, run.path(NIR))
    test = load_spread(trained.recipe, data_folder, samples)
    result = {
        "preset": preset,
        "weight_bits": weight_bits,
        "qat_epochs": qat,
        **agreement(trained.module, network, test.real, test.labels),
    }
    run.write_json(QUANTIZE, result)
    return result


def _finetuned(
    trained: Quantizable, precision: Precision, epochs: int, data_folder: Path | None
) -> QuantizedNetwork:
    recipe = trained.recipe
    network = QatNetwork(
        trained.linear, trained.source, precision, recipe.time_steps, recipe.neuron.width
    )
    finetune(network, finetuning(recipe, epochs), recipe.load_data(data_folder))
    return network.quantized()
