"""Fair timing: contenders take turns, what other programs disturbed is measured again.

Medians and quartiles are kept, and the machine is named.
"""

import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import psutil
import torch

TURN = 0.05
"""A turn repeats its run for this many seconds: the kernel counts CPU time in steps of 0.01 s."""
FOREIGN = 0.1
"""Share of all cores that other programs may use in a turn that counts."""
PATIENCE = 4
"""Turns that are tried for each one that counts; then the least disturbed are taken."""


@dataclass(frozen=True)
class Timing:
    """Seconds: median, and the quartiles around it. foreign: CPU share of others, worst turn."""

    median: float
    low: float
    high: float
    foreign: float

    def __str__(self) -> str:
        return f"{self.median * 1e3:8.2f} ms  [{self.low * 1e3:.2f}, {self.high * 1e3:.2f}]"

    def times(self, factor: float) -> "Timing":
        """The same measurement of `factor` as much work."""
        return replace(
            self, median=self.median * factor, low=self.low * factor, high=self.high * factor
        )


def interleaved(
    runs: dict[str, Callable[[], object]], rounds: int, device: torch.device
) -> dict[str, Timing]:
    """Time every run in turn, `rounds` times, after one round that does not count."""
    turns: dict[str, list[tuple[float, list[float]]]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(PATIENCE * rounds):
        for name, run in runs.items():
            if sum(foreign <= FOREIGN for foreign, _ in turns[name]) < rounds:
                turns[name].append(_turn(run, device))
    return {name: _summary(sorted(taken)[:rounds]) for name, taken in turns.items()}


def _turn(run: Callable[[], object], device: torch.device) -> tuple[float, list[float]]:
    """The share of all cores that other programs took, and the seconds of each repetition."""
    others, begin, seconds = _foreign_seconds(), time.perf_counter(), []
    while not seconds or time.perf_counter() - begin < TURN:
        start = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - start)
    span = (time.perf_counter() - begin) * psutil.cpu_count()
    return (_foreign_seconds() - others) / span, seconds


def _foreign_seconds() -> float:
    """CPU seconds that everything but this process has used."""
    everyone, ours = psutil.cpu_times(), psutil.Process().cpu_times()
    return sum(everyone) - everyone.idle - getattr(everyone, "iowait", 0) - ours.user - ours.system


def _summary(turns: list[tuple[float, list[float]]]) -> Timing:
    seconds = [second for _, repetitions in turns for second in repetitions]
    low, median, high = statistics.quantiles(seconds, n=4) if len(seconds) > 1 else seconds * 3
    return Timing(median, low, high, max(0.0, turns[-1][0]))


def machine(device: torch.device) -> dict[str, str]:
    """What the measurement ran on."""
    names = {"python": platform.python_version(), "torch": torch.__version__}
    if device.type == "cuda":
        return {**names, "device": torch.cuda.get_device_name(device)}
    listing = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    fields = dict(line.split(":", 1) for line in listing.splitlines() if ":" in line)
    wanted = ("Model name", "CPU family", "Model", "CPU(s)", "L2 cache", "L3 cache")
    cpu = {key: fields[key].strip() for key in wanted if key in fields}
    return {**names, "threads": str(torch.get_num_threads()), **cpu}
