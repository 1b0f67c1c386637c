"""Fine-tuning of a QatNetwork: the training loop and loss of the float network, on integers."""

from dataclasses import replace

from arlif.data import Dataset
from arlif.quantize.qat import QatNetwork
from arlif.training.schedule import Schedule
from arlif.training.trainer import make_trainer, quiet

LEARNING_RATE_SHARE = 0.1
"""Fine-tuning starts from a trained network: a tenth of the learning rate that trained it."""


def finetuning(recipe: Schedule, epochs: int) -> Schedule:
    """The recipe for fine-tuning what `recipe` trained: fewer epochs, a lower learning rate.

    A QatNetwork computes integers with numpy beside torch, in float64: it is not compiled.
    """
    return replace(
        recipe,
        epochs=epochs,
        learning_rate=recipe.learning_rate * LEARNING_RATE_SHARE,
        warmup_epochs=0.0,
        precision="32",
        channels_last=False,
        compile=False,
    )


def finetune(
    network: QatNetwork, recipe: Schedule, dataset: Dataset, accelerator: str = "auto"
) -> float:
    """Train a QatNetwork in place by a recipe; returns the test accuracy of its integers, 0 to 1.

    recipe: its epochs, learning rate and loss are used as they are; see `finetuning`.
    Raises ArlifError where the parameters leave what fits the integer formats.
    """
    from arlif.training.module import TrainingModule

    with quiet():
        module = TrainingModule(network, recipe, dataset)
        trainer = make_trainer(recipe, accelerator, devices=1)
        trainer.fit(module)
    network.eval()
    return float(trainer.callback_metrics["test_accuracy"])
