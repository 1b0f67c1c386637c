"""Fair timing: contenders take turns, medians and quartiles are kept, the machine is named."""

import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Timing:
    """Seconds: median, and the quartiles around it."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median * 1e3:8.2f} ms  [{self.low * 1e3:.2f}, {self.high * 1e3:.2f}]"


def interleaved(
    runs: dict[str, Callable[[], object]],
    rounds: int,
    device: torch.device,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time every run once per round, after one round that does not count.

    clock: time.process_time counts processor seconds, for one thread on a machine that is shared.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            _wait(device)
            start = clock()
            run()
            _wait(device)
            if turn:
                seconds[name].append(clock() - start)
    return {name: _summary(values) for name, values in seconds.items()}


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


def _summary(seconds: list[float]) -> Timing:
    low, median, high = statistics.quantiles(seconds, n=4)
    return Timing(median, low, high)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
