"""The Lightning callback that starts checks during training and collects what they find."""

import logging
from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytorch_lightning as lightning

from arlif.artifacts import METRICS, MODEL, SNAPSHOTS, TRAIN
from arlif.base.ctrl_c import noted_ctrl_c
from arlif.base.errors import FormatError, require
from arlif.base.lock import only_writer
from arlif.run_folder import Run
from arlif.training.metrics import Metrics
from hw_sim.crosscheck.amount import SAMPLES, TIME_LIMIT_S, TRACED, WAITING
from hw_sim.crosscheck.process import CheckProcess
from hw_sim.crosscheck.result import Check, Verdict, read_checks, set_aside, write_checks
from hw_sim.crosscheck.task import Task, write_samples, write_task

LOOK_S = 0.2
"""How often a wait for checks looks up."""
logger = logging.getLogger(__name__)


class CrossCheck(lightning.Callback):
    """Every so many epochs, checks the quantized network against its float parent and Lava.

    A snapshot of the weights goes to a process of its own at the lowest priority; training goes on.
    Checks run one after another. Results land in crosscheck.json, in the order of epochs, in
    metrics.csv and TensorBoard. A failing check is reported there; nothing that happens here stops
    or changes the training. Where checks are slower than training, the oldest waiting one is
    dropped, and so are those that an interrupted training leaves; that is recorded too.

    For arlif.training.train; when it has returned, call `finish`.

    run: the run directory. every: epochs between checks. samples: test samples that float and
    integer network run. traced: how many of them Lava runs. time_limit_s: for one check.
    Raises ArlifError.
    """

    def __init__(
        self,
        run: Path,
        every: int = 5,
        samples: int = SAMPLES,
        traced: int = TRACED,
        time_limit_s: float = TIME_LIMIT_S,
    ) -> None:
        require(every >= 1, f"a cross-check every {every} epochs is impossible; take at least 1")
        require(
            1 <= traced <= samples,
            f"Lava runs 1 to all {samples} samples of a cross-check, not {traced}",
        )
        require(
            time_limit_s > 0,
            f"the time limit of a cross-check is above 0 s, not {time_limit_s:g}; give it more",
        )
        self.run, self.every, self.samples, self.traced = Run(run), every, samples, traced
        self.time_limit_s = time_limit_s
        self.checks: list[Check] = []
        self._unlogged: list[Check] = []
        self._waiting: deque[Path] = deque()
        self._running: CheckProcess | None = None
        self._metrics: Metrics | None = None

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Write the samples; keep the checks of epochs that are not trained again."""
        if not trainer.is_global_zero:
            return
        self._metrics = pl_module.metrics
        finished = {int(row["epoch"]) for row in pl_module.metrics.rows}
        left = sorted(int(path.name) for path in self._folder.glob("[0-9]*"))
        with self._harmless(len(finished) + 1):
            self.checks = [check for check in self._earlier() if check.epoch in finished]
        with self._harmless(len(finished) + 1):
            rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            write_samples(self._folder, pl_module.dataset, self.samples)
            write_checks(self.run, self.checks)
            self._drop([epoch for epoch in left if epoch in finished], "the training was killed")

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        """Collect a check that has ended, start the next."""
        check = self._running.poll() if self._running else None
        if check:
            self._end(check)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Take a snapshot when it is time."""
        epoch = trainer.current_epoch + 1
        if not trainer.is_global_zero or epoch % self.every:
            return
        task = Task(epoch, pl_module.recipe, self.traced, self.time_limit_s)
        folder = self._folder / str(epoch)
        with self._harmless(epoch):
            write_task(folder, task, pl_module.net.state_dict())
            self._waiting.append(folder)
            self._start()
        while len(self._waiting) > WAITING:
            oldest = int(self._waiting.popleft().name)
            self._drop([oldest], f"{WAITING} later ones waited; check less often or fewer samples")

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Training stops: drop the checks that are left."""
        if self._metrics:
            self._drop_rest("the training was interrupted")

    @property
    def unfinished(self) -> int:
        """How many checks run or wait."""
        return len(self._waiting) + (self._running is not None)

    def finish(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Wait, after the training, for the checks that are left; Ctrl-C drops them.

        progress: called with (checks done, checks) while some are left. The training holds its
        folder no more, so this does. Raises ArlifError where another process has taken it.
        """
        total = self.unfinished
        with only_writer(self.run.folder, TRAIN):
            with noted_ctrl_c() as ctrl_c:
                while self._running and not ctrl_c.came:
                    progress(total - self.unfinished, total)
                    check = None
                    while check is None and not ctrl_c.came:
                        check = self._running.wait(LOOK_S)
                    if check:
                        self._end(check)
            self._drop_rest("it was not waited for")
            self._log()
            if self.run.has(MODEL):
                self.run.record(METRICS, made_from=(MODEL,))  # which have the checks' figures now

    @property
    def _folder(self) -> Path:
        return self.run.folder / SNAPSHOTS

    def _earlier(self) -> list[Check]:
        """The checks that the run holds; a file that cannot be read is kept under another name."""
        try:
            return read_checks(self.run)
        except FormatError as error:
            logger.warning("the earlier checks are kept as %s: %s", set_aside(self.run), error)
            return []

    def _end(self, check: Check) -> None:
        self._record(check)
        self._running = None
        rmtree(self._folder / str(check.epoch), ignore_errors=True)
        self._start()

    def _start(self) -> None:
        """Start the next check unless one runs."""
        while self._waiting and not self._running:
            folder = self._waiting.popleft()
            with self._harmless(int(folder.name)):
                self._running = CheckProcess(folder, self.time_limit_s)

    def _drop_rest(self, reason: str) -> None:
        """Record what is left as dropped, then end the running check."""
        running, self._running = self._running, None
        folders = [*([running.folder] if running else []), *self._waiting]
        self._waiting.clear()
        self._drop([int(folder.name) for folder in folders], reason)
        if running:
            running.end()
        rmtree(self._folder, ignore_errors=True)

    def _drop(self, epochs: list[int], reason: str) -> None:
        known = {check.epoch for check in self.checks}
        for epoch in [epoch for epoch in epochs if epoch not in known]:
            rmtree(self._folder / str(epoch), ignore_errors=True)
            self._record(Check(epoch, Verdict.DROPPED, reason))

    def _record(self, check: Check) -> None:
        insort(self.checks, check, key=lambda check: check.epoch)
        self._unlogged.append(check)
        with suppress(Exception):  # a full disk stops the training itself, not this
            write_checks(self.run, self.checks)
        self._log()

    def _log(self) -> None:
        """Add checks to the metrics of their epochs, once these are there."""
        if self._metrics is None:
            return
        rows = {int(row["epoch"]) for row in self._metrics.rows}
        for check in [c for c in self._unlogged if c.epoch in rows]:
            self._unlogged.remove(check)
            with suppress(Exception):  # likewise
                self._metrics.amend(check.epoch, check.metrics())

    @contextmanager
    def _harmless(self, epoch: int) -> Iterator[None]:
        """Whatever goes wrong inside becomes a failed check."""
        try:
            yield
        except Exception as error:
            self._record(Check(epoch, Verdict.FAILED, f"not started: {error}"))
