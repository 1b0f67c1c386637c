"""The process that a check runs in: started, watched and ended from the training process."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from arlif.base.files import read_json
from arlif.base.plain_data import from_mapping
from arlif.base.workers import command, environment
from hw_sim.crosscheck import background
from hw_sim.crosscheck.result import Check, Verdict
from hw_sim.engines.lava.deaths import how_it_ended

LOG = "log.txt"
GRACE_S = 15.0
QUIET = {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""A check leaves the GPU and all CPU cores but one to the training."""


@dataclass
class CheckProcess:
    """A running check.

    folder: its task; the folder's name is the epoch. stopped: it was told to end, out of time.
    """

    folder: Path
    time_limit_s: float
    started: float = field(default_factory=time.monotonic)
    stopped: bool = False

    def __post_init__(self) -> None:
        with (self.folder / LOG).open("wb") as log:
            self.process = subprocess.Popen(
                command(background.__name__, str(self.folder.resolve()), str(os.getpid())),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**environment(), **QUIET},
                start_new_session=True,
            )

    def poll(self) -> Check | None:
        """The outcome, or None while it runs; never waits. Out of time, it is told to end."""
        if self.process.poll() is None:
            self._hurry(time.monotonic() - self.started - self.time_limit_s)
            return None
        if self.stopped:
            return self._failed(
                f"the check took longer than {self.time_limit_s:g} s; raise the time limit or "
                "check fewer samples"
            )
        try:
            content = read_json(self.folder / background.ANSWER)
            return from_mapping(Check, content, background.ANSWER)
        except (OSError, ValueError):
            how = how_it_ended(self.process.returncode)
            return self._failed(f"the check {how}; its log ends with: {self._last_words()}")

    def wait(self, seconds: float) -> Check | None:
        """The outcome, or None where it still runs after so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.poll()

    def end(self) -> None:
        """Stop it; it has a moment to end the Lava processes that it started."""
        self.process.terminate()
        try:
            self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._kill()
            self.process.wait()

    def _hurry(self, late_s: float) -> None:
        if late_s >= 0 and not self.stopped:
            self.stopped = True
            self.process.terminate()
        if late_s >= GRACE_S:
            self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _failed(self, message: str) -> Check:
        return Check(int(self.folder.name), Verdict.FAILED, message)

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = (self.folder / LOG).read_text(encoding="utf-8", errors="replace").split("\n")
            return next((line for line in reversed(lines) if line.strip()), "(nothing)")
        return "(nothing)"
