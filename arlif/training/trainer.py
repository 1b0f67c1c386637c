"""The Lightning trainer that a recipe asks for, for training and for fine-tuning alike."""

import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from arlif.base.memory import freed_memory_kept
from arlif.training.schedule import Schedule

if TYPE_CHECKING:
    from pytorch_lightning import Callback, Trainer


def make_trainer(
    recipe: Schedule, accelerator: str, devices: int, callbacks: "Sequence[Callback]" = ()
) -> "Trainer":
    """A Lightning trainer for a recipe; it shows a progress bar on a terminal.

    callbacks: checkpoints are written by those given here only. Create and use it in `fitting`.
    """
    import pytorch_lightning as lightning
    from pytorch_lightning.callbacks import ModelCheckpoint, RichProgressBar

    from arlif.training.checkpoints import AtomicCheckpointIO

    terminal = sys.stdout.isatty()
    return lightning.Trainer(
        accelerator=accelerator,
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        precision="bf16-mixed" if recipe.precision == "bf16" else "32-true",
        max_epochs=recipe.epochs,
        accumulate_grad_batches=recipe.accumulate,
        reload_dataloaders_every_n_epochs=1,
        logger=False,
        enable_checkpointing=any(isinstance(c, ModelCheckpoint) for c in callbacks),
        enable_model_summary=False,
        enable_progress_bar=terminal,
        num_sanity_val_steps=0,
        plugins=[AtomicCheckpointIO()],
        callbacks=[*([RichProgressBar()] if terminal else []), *callbacks],
    )


@contextmanager
def fitting() -> Iterator[None]:
    """Where a trainer is made and used: Lightning is quiet, and freed memory is kept."""
    with _quiet(), freed_memory_kept():
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Lightning's chatter about hardware, and what torch holds against its internals."""
    names = ("pytorch_lightning", "lightning.pytorch", "lightning_fabric")
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*LeafSpec", FutureWarning)
            warnings.filterwarnings("ignore", "Checkpoint directory", UserWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
