"""One plain line per epoch, for outputs that are no terminal."""

from collections.abc import Callable
from typing import Any

import pytorch_lightning as lightning


class EpochLines(lightning.Callback):
    """Says what is trained, then each epoch's loss, test accuracy and seconds when it ends."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say, self._said = say, 0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Name the run; epochs of an earlier start are not said again."""
        recipe = pl_module.recipe
        self._said = trainer.current_epoch
        if trainer.is_global_zero:
            self.say(f"{recipe.dataset}, {recipe.neuron.label}, seed {recipe.seed}")

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Say the epoch before: its row is written after every callback has seen its end."""
        self._say(pl_module)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Say the last epoch."""
        self._say(pl_module)

    def _say(self, module: Any) -> None:
        rows = module.metrics.rows if module.metrics else []
        for row in rows[self._said :]:
            accuracy, seconds = 100 * row["test_accuracy"], row["seconds"]
            self.say(
                f"epoch {row['epoch']:.0f} of {module.recipe.epochs}: loss "
                f"{row['train_loss']:.4f}, test accuracy {accuracy:.2f} %, {seconds:.0f} s"
            )
        self._said = len(rows)
