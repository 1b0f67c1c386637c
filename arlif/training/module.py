"""The training step, the optimizer and what happens at the end of an epoch."""

import logging
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

from arlif.base.errors import FormatError, require
from arlif.base.plain_data import to_mapping
from arlif.data import Dataset
from arlif.neurons import SpikingNeuron
from arlif.neurons.recurrent import spiking_layers
from arlif.training.accuracy import Evaluation, evaluate_sums, finish
from arlif.training.augment import alternated, augment
from arlif.training.batches import Batches
from arlif.training.compact import compact
from arlif.training.compiled import compiled
from arlif.training.loss import judged, tet_loss, with_estimation
from arlif.training.metrics import RATE, Metrics
from arlif.training.muon import Muon
from arlif.training.resumed import require_taken_up
from arlif.training.schedule import Schedule
from arlif.training.stages import staged

logger = logging.getLogger(__name__)

MOMENTUM = 0.9
"""SGD momentum of the released experiments."""


FINISHED_ACCURACY = "finished_accuracy"
"""What is logged for the best checkpoint: the test accuracy, 0 while a stage is trained."""

DEVICES = "devices"
"""The key of a checkpoint that says on how many devices it was trained."""

THREADS = "threads"
"""The key of a checkpoint that says on how many threads of a CPU it was trained."""

RECIPE = "recipe"
"""The key of a checkpoint that holds the recipe that it was trained by, as plain values."""

RECORD = "record"
"""The key of a checkpoint that holds what was recorded of its epochs: see Recorded."""


@dataclass(frozen=True)
class Descent:
    """An optimizer, its learning rates, and its steps in an epoch."""

    optimizer: torch.optim.Optimizer
    rates: torch.optim.lr_scheduler.LambdaLR
    steps: int


class TrainingModule(lightning.LightningModule):
    """Trains one network by one recipe.

    Every epoch starts from a generator seeded by (seed, epoch), so a run that is continued from the
    checkpoint of an epoch's end draws the same numbers as one that was never stopped.

    After every optimizer step neurons put what they learn back into its bounds. They clamp it, and
    a clamp passes no gradient outside: AR-LIF's alpha starts at its bound 1, and the first step
    beyond it would freeze it for good.

    finished: epochs of a checkpoint that is continued. taken_up: whether that has been loaded.
    """

    def __init__(
        self, net: nn.Module, recipe: Schedule, dataset: Dataset, finished: int = 0
    ) -> None:
        super().__init__()
        self.finished, self.taken_up = finished, False
        if recipe.channels_last:
            net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.net, self.recipe, self.dataset = net, recipe, dataset
        forward = compact(net) if recipe.compact else net.__call__
        self.trained = compiled(net) if recipe.compile else forward
        self.fill = torch.tensor(dataset.info.mean or (0.0,) * dataset.info.shape[0])
        self.metrics: Metrics | None = None
        self._sums = torch.zeros(4)  # loss, batches; right answers, samples
        self._rate = self._started = 0.0

    def train_dataloader(self) -> Batches:
        """The current epoch's batches."""
        recipe = self.recipe
        return Batches(
            self.dataset.train,
            recipe.batch_size,
            (recipe.seed, self.current_epoch),
            self.global_rank,
            self.trainer.world_size,
            recipe.keep_last,
        )

    def on_train_epoch_start(self) -> None:
        """Seed the epoch."""
        source = np.random.SeedSequence((self.recipe.seed, self.current_epoch, self.global_rank))
        torch.manual_seed(int(source.generate_state(1)[0]))
        self._sums = torch.zeros(4, device=self.device)
        self._rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        self._started = time.perf_counter()

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """The loss of one batch."""
        recipe, info = self.recipe, self.dataset.info
        classes = len(info.classes)
        targets = functional.one_hot(batch[1], classes).float()
        x = info.real(batch[0])
        if recipe.augmentation.alternate:
            x = alternated(x, batch[0], self.current_epoch)
        x, targets = augment(recipe.augmentation, x, targets, self.fill)
        targets = torch.lerp(targets, torch.full_like(targets, 1 / classes), recipe.label_smoothing)
        with staged(self.net, recipe.stage(self.current_epoch)):
            logits = self.trained(info.normalized(x)).float()
        read = judged(logits, recipe.mean_logits, recipe.logit_scale)
        loss = tet_loss(read, targets, recipe.mse_weight, recipe.mse_to_labels)
        loss = with_estimation(loss, self.net)
        right = (logits.detach().mean(0).argmax(-1) == batch[1]).float()
        one, samples = loss.new_tensor(1), loss.new_tensor(len(x))
        self._sums += torch.stack([loss.detach(), one, right.sum(), samples])
        self.log("loss", loss.detach(), prog_bar=True, logger=False)
        return loss

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """One optimizer step, then what neurons learn goes back into its bounds."""
        super().optimizer_step(*args, **kwargs)
        for module in self.net.modules():
            if isinstance(module, SpikingNeuron):
                module.keep_bounds()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Note by what recipe the epochs were trained, on what, and the metrics until now.

        Another number of devices draws other batches, another number of a CPU's threads adds in
        another order.
        """
        checkpoint[DEVICES] = self.trainer.world_size
        checkpoint[RECIPE] = to_mapping(self.recipe)
        if self.metrics:
            confusion = self.metrics.confusion
            checkpoint[RECORD] = {
                "rows": [dict(row) for row in self.metrics.rows],
                "confusion": None if confusion is None else confusion.tolist(),
            }
        if self._on_cpu:
            checkpoint[THREADS] = torch.get_num_threads()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Warn where as many threads of a CPU as before are not there: they add in another order.

        It is no error, as another machine may not have as many.
        """
        now = torch.get_num_threads()
        before = checkpoint.get(THREADS, now)
        require(type(before) is int, "threads in it are no number", FormatError)
        if before != now and self._on_cpu and self.trainer.is_global_zero:
            logger.warning(
                "trained on %d threads so far, and %d go on to weights that differ in last bits; "
                "for the same ones start with OMP_NUM_THREADS=%d",
                before,
                now,
                before,
            )

    @property
    def _on_cpu(self) -> bool:
        return bool(self.trainer.strategy.root_device.type == "cpu")

    def on_train_start(self) -> None:
        """Of a training that goes on: what it goes on from is what such a training leaves."""
        if self.finished:
            require_taken_up(self.trainer, self, self.finished)
        self.taken_up = True

    def configure_optimizers(self) -> Any:
        """The optimizer and a learning rate that follows epochs in fractions."""
        made = self.optimizer_of(self.net)
        return {
            "optimizer": made.optimizer,
            "lr_scheduler": {"scheduler": made.rates, "interval": "step"},
        }

    def optimizer_of(self, net: nn.Module) -> Descent:
        """How the recipe trains the parameters of a network such as this one."""
        recipe = self.recipe
        parameters = [p for p in net.parameters() if p.requires_grad]
        optimizer: torch.optim.Optimizer
        if recipe.optimizer == "sgd":
            optimizer = torch.optim.SGD(
                parameters, recipe.learning_rate, MOMENTUM, weight_decay=recipe.weight_decay
            )
        elif recipe.optimizer == "muon":
            optimizer = Muon(parameters, recipe.learning_rate, recipe.weight_decay)
        else:
            optimizer = torch.optim.AdamW(
                parameters, recipe.learning_rate, weight_decay=recipe.weight_decay
            )
        steps = math.ceil(len(self.train_dataloader()) / recipe.accumulate)
        every = steps if recipe.rate_per == "epoch" else 1

        def factor(step: int) -> float:
            return rate_factor(step // every * every / steps, recipe.epochs, recipe.warmup_epochs)

        return Descent(optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor), steps)

    def on_train_epoch_end(self) -> None:
        """Evaluate on the test split and record the epoch. Raises ArlifError on divergence."""
        sums = self.trainer.strategy.reduce(self._sums, reduce_op="sum")
        loss, accuracy = float(sums[0] / sums[1]), float(sums[2] / sums[3])
        self._require_finite(loss)
        if self.trainer.world_size > 1:
            for buffer in self.net.buffers():  # batch norm's, of which process 0's are saved
                torch.distributed.broadcast(buffer, 0)
        batches = Batches(
            self.dataset.test,
            self.recipe.batch_size,
            rank=self.global_rank,
            world=self.trainer.world_size,
        )
        stage = self.recipe.stage(self.current_epoch)
        with staged(self.net, stage):
            own = evaluate_sums(self.net, self.dataset.info, batches, self.device)
            total = self.trainer.strategy.reduce(own, reduce_op="sum")
            result = finish(total, tuple(spiking_layers(self.net)))
        self.log("test_accuracy", result.accuracy, prog_bar=True, logger=False, sync_dist=True)
        finished = 0.0 if stage else result.accuracy
        self.log(FINISHED_ACCURACY, finished, logger=False, sync_dist=True)
        if self.metrics:
            self.metrics.add(self._row(loss, accuracy, result))
            if self.current_epoch + 1 == self.recipe.epochs:
                self.metrics.add_confusion(result.confusion, self.dataset.info.classes)

    def _require_finite(self, loss: float) -> None:
        finite = all(bool(value.isfinite().all()) for value in self.net.state_dict().values())
        require(
            finite and math.isfinite(loss),
            f"training diverged in epoch {self.current_epoch + 1}: the loss or a weight is NaN or "
            f"infinite; start anew with a learning_rate below {self.recipe.learning_rate}",
        )

    def _row(self, loss: float, accuracy: float, result: Evaluation) -> dict[str, float]:
        """One epoch; mixed samples have no label, so without a training accuracy."""
        row = {
            "epoch": float(self.current_epoch + 1),
            "train_loss": loss,
            "test_loss": result.loss,
            "test_accuracy": result.accuracy,
            "learning_rate": self._rate,
            "seconds": time.perf_counter() - self._started,
        }
        if not self.recipe.augmentation.mixes:
            row["train_accuracy"] = accuracy
        for name, layer in spiking_layers(self.net).items():
            row |= {f"{symbol}/{name}": v.mean().item() for symbol, v in layer.learned().items()}
        return row | {f"{RATE}{name}": rate for name, rate in result.rates.items()}


def rate_factor(epoch: float, epochs: int, warmup: float) -> float:
    """Learning rate at a fractional epoch, relative to the highest: linear rise, then a cosine."""
    if epoch < warmup:
        return (epoch + 1e-3) / (warmup + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (epoch - warmup) / (epochs - warmup))))
