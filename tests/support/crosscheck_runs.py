"""A short training with checks beside it, checks that end as a test wants, and interrupts."""

from pathlib import Path

import pytorch_lightning as lightning
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from arlif.artifacts import SNAPSHOTS
from arlif.run_folder import Run
from arlif.training import load_recipe, train
from hw_sim.crosscheck.callback import CrossCheck
from hw_sim.crosscheck.result import Check, Verdict, read_checks
from hw_sim.engines.lava.requirements import has_lava

RECIPE = load_recipe("digits", {"epochs": 3, "architecture.features": [4, "pool", 6, "pool"]})
HAS_LAVA = has_lava()


def in_tensorboard(run: Path, name: str) -> dict[int, float]:
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    return {event.step: event.value for event in events.Scalars(name)}


class Ended:
    """A check that has failed before it is asked."""

    def __init__(self, folder: Path, time_limit_s: float) -> None:
        self.epoch = int(folder.name)

    def poll(self) -> Check:
        return Check(self.epoch, Verdict.FAILED, "a reason")

    def wait(self, seconds: float) -> Check:
        return Ended.poll(self)


class Snapshots(lightning.Callback):
    """Notes which snapshots lie in a run when each epoch starts."""

    def __init__(self, run: Path) -> None:
        self.folder, self.found = run / "crosscheck", []

    def on_train_epoch_start(self, trainer, pl_module) -> None:
        self.found.append(sorted(p.name for p in self.folder.iterdir() if p.is_dir()))


class Slow(Ended):
    """A check that ends only when it is waited for."""

    def poll(self) -> None:
        return None


class Interrupt(lightning.Callback):
    """Ctrl-C as an epoch starts, counted from 1."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_start(self, trainer, pl_module) -> None:
        if trainer.current_epoch + 1 == self.epoch:
            raise KeyboardInterrupt


def resumed(run: Path) -> list[tuple[int, Verdict]]:
    """Continue a training with a check of every epoch: its checks."""
    checks = CrossCheck(run, every=1, samples=10, traced=1)
    train(RECIPE, run, resume=True, accelerator="cpu", callbacks=(checks,))
    checks.finish()
    assert checks.checks == read_checks(Run(run))
    assert not (run / SNAPSHOTS).exists()
    return [(c.epoch, c.verdict) for c in checks.checks]


GOOD = Verdict.PASSED if HAS_LAVA else Verdict.NO_LAVA
