"""Fine-tuning of a QatNetwork: the training loop and loss of the float network, on integers."""

from collections.abc import Sized
from dataclasses import replace

from arlif.data import Dataset
from arlif.data.own import own_dataset
from arlif.quantize.qat import QatNetwork
from arlif.training.schedule import Schedule
from arlif.training.trainer import fitting, make_trainer

LEARNING_RATE_SHARE = 0.1
"""Fine-tuning starts from a trained network: a tenth of the learning rate that trained it."""


def finetuning(recipe: Schedule, epochs: int) -> Schedule:
    """The recipe for fine-tuning what `recipe` trained: fewer epochs, a lower learning rate.

    Muon steps past weights that have taken up their batch norm: such a recipe is fine-tuned
    as an imported network is. A QatNetwork computes integers with numpy beside torch, in
    float64: it is not compiled.
    """
    if recipe.optimizer == "muon":
        plain = Schedule()
        recipe = replace(
            recipe,
            optimizer=plain.optimizer,
            learning_rate=plain.learning_rate,
            batch_size=plain.batch_size,
        )
    return replace(
        recipe,
        epochs=epochs,
        stages=(),
        learning_rate=recipe.learning_rate * LEARNING_RATE_SHARE,
        warmup_epochs=0.0,
        precision="32",
        channels_last=False,
        compile=False,
    )


def finetune(
    network: QatNetwork, recipe: Schedule, dataset: Dataset | Sized, accelerator: str = "auto"
) -> float:
    """Train a QatNetwork in place by a recipe; returns the test accuracy of its integers, 0 to 1.

    recipe: its epochs, learning rate and loss are used as they are; see `finetuning`. dataset: or a
    torch Dataset of pairs (input, label), of which one sample of five is left out as the test
    split; see arlif.data.own.own_dataset.
    Raises ArlifError where the parameters leave what fits the integer formats, or where the dataset
    does not fit the network.
    """
    from arlif.training.module import TrainingModule

    if not isinstance(dataset, Dataset):
        source, classes = network.source, network.network.readout.shape[0]
        frames = 1 if source.static else network.time_steps
        dataset = own_dataset(dataset, source.shape, frames, classes)
    with fitting():
        module = TrainingModule(network, recipe, dataset)
        trainer = make_trainer(recipe, accelerator, devices=1)
        trainer.fit(module)
    network.eval()
    return float(trainer.callback_metrics["test_accuracy"])
