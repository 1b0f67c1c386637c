"""quantize_run trains on as the recipe trained."""

from pathlib import Path

from arlif.arithmetic.surrogates import Rectangle, Surrogate, Triangle
from arlif.artifacts import NIR
from arlif.core.network import QuantizedNetwork
from arlif.quantize import Precision
from arlif.quantize.finetune import finetune, finetuning
from arlif.quantize.qat import QatNetwork
from arlif.quantize.trained import load_quantizable
from arlif.run_folder import Run
from arlif.training import load_recipe, train
from export.nir import read_nir
from hw_sim.pipeline import quantize_run

WIDTH = 0.3


def finetuned(run: Path, surrogate: Surrogate) -> QuantizedNetwork:
    trained = load_quantizable(run, None)
    steps = trained.recipe.time_steps
    network = QatNetwork(trained.linear, trained.source, Precision(weight_bits=4), steps, surrogate)
    finetune(network, finetuning(trained.recipe, 1), trained.recipe.load_data(None))
    return network.quantized()


def test_fine_tuning_keeps_the_surrogate_of_the_recipe(tmp_path: Path) -> None:
    run = tmp_path / "run"
    changes = {"architecture.features": [4], "epochs": 1, "neuron.width": WIDTH}
    changes |= {"neuron.surrogate": "triangle"}
    train(load_recipe("digits", changes), run)
    quantize_run(run, weight_bits=4, qat=1)
    got = read_nir(Run(run).path(NIR))
    assert got == finetuned(run, Triangle(WIDTH))
    assert got != finetuned(run, Rectangle(WIDTH))
