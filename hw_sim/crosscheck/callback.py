"""The Lightning callback that starts checks during training and collects what they find."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytorch_lightning as lightning

from arlif.errors import require
from arlif.quantize import Precision
from arlif.run import Run
from hw_sim.crosscheck.process import CheckProcess
from hw_sim.crosscheck.result import Check, Verdict, read_checks, write_checks
from hw_sim.crosscheck.task import Task, write_samples, write_task

FOLDER = "crosscheck"
DEFAULT = Precision()


class CrossCheck(lightning.Callback):
    """Every so many epochs, checks the quantized network against its float parent and Lava.

    A snapshot of the weights goes to a process of its own at the lowest priority; training goes on.
    Checks run one after another, so results land in order: in crosscheck.json, metrics.csv and
    TensorBoard. A failing check is reported there; nothing that happens here stops or changes the
    training. When training ends, the checks that still wait are finished. A snapshot is removed
    when its check has ended.

    run: the run directory. every: epochs between checks. samples: test samples that float and
    integer network run. traced: how many of them Lava runs. time_limit_s: for one check.
    Raises ArlifError.
    """

    def __init__(
        self,
        run: Path,
        every: int = 5,
        samples: int = 256,
        traced: int = 8,
        precision: Precision = DEFAULT,
        time_limit_s: float = 600.0,
    ) -> None:
        require(every >= 1, f"a cross-check every {every} epochs is impossible; take at least 1")
        require(
            1 <= traced <= samples,
            f"Lava runs 1 to all {samples} samples of a cross-check, not {traced}",
        )
        self.run, self.every, self.samples, self.traced = Run(run), every, samples, traced
        self.precision, self.time_limit_s = precision, time_limit_s
        self.checks: list[Check] = []
        self._unlogged: list[Check] = []
        self._waiting: deque[Path] = deque()
        self._running: CheckProcess | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Keep the checks of epochs that are not trained again; write the samples."""
        if not trainer.is_global_zero:
            return
        with self._harmless(trainer.current_epoch + 1, pl_module):
            self.checks = [c for c in read_checks(self.run) if c.epoch <= trainer.current_epoch]
            write_checks(self.run, self.checks)
            rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            write_samples(self._folder, pl_module.dataset, self.samples)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        """Collect a check that has ended, start the next."""
        check = self._running.poll() if self._running else None
        if check:
            self._finish(check, pl_module)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Take a snapshot when it is time."""
        epoch = trainer.current_epoch + 1
        if not trainer.is_global_zero or epoch % self.every:
            return
        task = Task(epoch, pl_module.recipe, self.precision, self.traced, self.time_limit_s)
        folder = self._folder / str(epoch)
        with self._harmless(epoch, pl_module):
            write_task(folder, task, pl_module.net.state_dict())
            self._waiting.append(folder)
            self._start(pl_module)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """Finish the checks that wait."""
        while self._running:
            self._finish(self._running.wait(), pl_module)
        self._log(pl_module)
        rmtree(self._folder, ignore_errors=True)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Training stops: end the running check, forget the waiting ones."""
        if self._running:
            self._running.end()
        self._running = None
        self._waiting.clear()
        rmtree(self._folder, ignore_errors=True)

    @property
    def _folder(self) -> Path:
        return self.run.folder / FOLDER

    def _finish(self, check: Check, module: Any) -> None:
        self._running = None
        rmtree(self._folder / str(check.epoch), ignore_errors=True)
        self._record(check, module)
        self._start(module)

    def _start(self, module: Any) -> None:
        """Start the next check unless one runs."""
        while self._waiting and not self._running:
            folder = self._waiting.popleft()
            with self._harmless(int(folder.name), module):
                self._running = CheckProcess(folder, self.time_limit_s)

    def _record(self, check: Check, module: Any) -> None:
        self.checks.append(check)
        self._unlogged.append(check)
        with suppress(Exception):  # a full disk stops the training itself, not this
            write_checks(self.run, self.checks)
        self._log(module)

    def _log(self, module: Any) -> None:
        """Add checks to the metrics of their epochs, once these are there."""
        rows = {int(row["epoch"]) for row in module.metrics.rows} if module.metrics else set()
        for check in [c for c in self._unlogged if c.epoch in rows]:
            self._unlogged.remove(check)
            with suppress(Exception):  # likewise
                module.metrics.amend(check.epoch, check.metrics())

    @contextmanager
    def _harmless(self, epoch: int, module: Any) -> Iterator[None]:
        """Whatever goes wrong inside becomes a failed check."""
        try:
            yield
        except Exception as error:
            self._record(Check(epoch, Verdict.FAILED, f"not started: {error}"), module)
