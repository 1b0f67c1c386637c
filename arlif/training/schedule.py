"""Schedule: how a network is trained, whatever it is and on whatever data."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from arlif.base.errors import require
from arlif.base.plain_data import STRICT
from arlif.core.nodes import MOST_STEPS
from arlif.training.augment import Augmentation

MOST = 10**9
"""Epochs, samples, batches and rates of a recipe, at most."""


@dataclass(frozen=True)
class Stage:
    """Epochs at the start of a training that cost less than the network itself.

    epochs: how many. time_steps: T in them. clipped: the neurons' currents, clipped to [0,
    1], stand in for spikes, so that a network without time is trained; T is then 1. Raises
    ArlifError.
    """

    epochs: int
    time_steps: int = 1
    clipped: bool = False

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        require(self.epochs >= 1, f"a stage has at least 1 epoch, not {self.epochs}")
        require(
            1 <= self.time_steps <= MOST_STEPS,
            f"a stage shows 1 to {MOST_STEPS:,} time steps, not {self.time_steps}",
        )
        require(
            self.time_steps == 1 or not self.clipped,
            f"clipped currents know no time: time_steps of such a stage is 1, not "
            f"{self.time_steps}",
        )


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How a network is trained.

    epochs: times that every training sample is shown. batch_size: samples of a step, over
    all devices. stages: trained first, one behind the other, within `epochs`; the epochs
    that are left train the network as it is. seed: of first weights, order and
    augmentation. optimizer: "sgd" (momentum 0.9), "adamw" or "muon" (arlif.training.muon).
    learning_rate: the highest; after warmup_epochs it falls to 0 as a cosine over all
    epochs. weight_decay: the optimizer's. warmup_epochs: epochs, or a part of one, in which
    the rate rises linearly. rate_per: how often the rate changes. keep_last: also train on
    what is left when an epoch is cut into batches. mse_weight: share of the mean-square
    term in the loss, 0 to 1 (the paper's Eq. 9; tet_loss). mse_to_labels: that term pulls
    towards the labels instead of 1. mean_logits: the loss judges the mean over time instead
    of every step. logit_scale: logits are multiplied by it before. label_smoothing: share
    of every label that is spread over all classes, 0 to below 1. augmentation: what changes
    samples in training. precision: "32" or "bf16" (mixed). accumulate: batches per
    optimizer step. channels_last: keep images and weights with the channels innermost.
    compile: train through torch.compile. compact: keep less for the backward pass, at equal
    results. Raises ArlifError where a value is out of range.
    """

    epochs: int = 10
    batch_size: int = 64
    stages: tuple[Stage, ...] = ()
    seed: int = 2022
    optimizer: Literal["sgd", "adamw", "muon"] = "adamw"
    learning_rate: float = 2e-3
    weight_decay: float = 0.0
    warmup_epochs: float = 0.0
    rate_per: Literal["step", "epoch"] = "step"
    keep_last: bool = False
    mse_weight: float = 0.05
    mse_to_labels: bool = False
    mean_logits: bool = False
    logit_scale: float = 1.0
    label_smoothing: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    precision: Literal["32", "bf16"] = "32"
    accumulate: int = 1
    channels_last: bool = False
    compile: bool = False
    compact: bool = False

    __pydantic_config__: ClassVar = STRICT

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate"):
            require(
                getattr(self, name) >= 1, f"{name} must be at least 1, not {getattr(self, name)}"
            )
        for name in ("seed", "weight_decay", "warmup_epochs"):
            require(getattr(self, name) >= 0, f"{name} cannot be negative: {getattr(self, name)}")
        counts = ("epochs", "batch_size", "accumulate")
        for name in (*counts, "learning_rate", "weight_decay", "logit_scale"):
            require_at_most(self, name)
        require(self.seed < 2**63, f"seed must be below 2**63, not {self.seed}")
        for name in ("learning_rate", "logit_scale"):
            require(getattr(self, name) > 0, f"{name} must be above 0: {getattr(self, name)}")
        require(0 <= self.mse_weight <= 1, f"mse_weight lies in [0, 1], not {self.mse_weight}")
        require(
            0 <= self.label_smoothing < 1,
            f"label_smoothing lies in [0, 1), not {self.label_smoothing}",
        )
        require(
            self.staged_epochs < self.epochs,
            f"stages take {self.staged_epochs} of {self.epochs} epochs, and at least one must be "
            "left for the network as it is; raise epochs",
        )
        require(
            not (self.stages and self.compile),
            "compile knows one network, and stages train others; leave out compile",
        )
        require(
            self.warmup_epochs < self.epochs,
            f"warmup_epochs must be below epochs = {self.epochs}, not {self.warmup_epochs}",
        )
        require(
            not (self.compile and self.compact),
            "compile decides by itself what to keep for the backward pass; leave out compact",
        )

    @property
    def staged_epochs(self) -> int:
        """How many epochs the stages take."""
        return sum(stage.epochs for stage in self.stages)

    def stage(self, epoch: int) -> Stage | None:
        """The stage of an epoch, which counts from 0; None behind the last."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        return None


def require_at_most(schedule: Schedule, name: str) -> None:
    """Raise ArlifError where a field lies above MOST."""
    value = getattr(schedule, name)
    require(value <= MOST, f"{name} must be at most {MOST:,}, not {value}")
