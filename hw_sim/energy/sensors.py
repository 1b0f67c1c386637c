"""Joules measured while something runs: GPUs through NVML, CPU packages through RAPL.

A sensor that is absent or unreadable is reported as absent, with the reason, never as zero.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows RAPL: folders intel-rapl:N with name, energy_uj and max_energy_range_uj."""

Counter = Callable[[float], float]
"""Joules since the counter's value `before`; called with 0 it reads the counter."""


@dataclass
class Measurement:
    """What was measured. joules: by sensor. absent: why there is none, by kind of sensor."""

    seconds: float = 0.0
    joules: dict[str, float] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def per_inference(self, samples: int) -> dict[str, Any]:
        """Seconds, uJ per inference by sensor, and what is absent, ready for JSON."""
        energy = {name: joules / samples * 1e6 for name, joules in self.joules.items()}
        return {"seconds": self.seconds, "energy_uj": energy, "absent": self.absent}


@contextmanager
def measured(powercap: Path = POWERCAP) -> Iterator[Measurement]:
    """Measure the block; the values are there when it ends. powercap: where RAPL is looked for."""
    result = Measurement()
    counters = {**_gpus(result.absent), **_packages(powercap, result.absent)}
    before = {name: counter(0.0) for name, counter in counters.items()}
    started = time.perf_counter()
    try:
        yield result
    finally:
        result.seconds = time.perf_counter() - started
        for name, counter in counters.items():
            result.joules[name] = counter(before[name])


def _gpus(absent: dict[str, str]) -> dict[str, Counter]:
    try:
        import pynvml
    except ImportError:
        absent["GPU"] = "nvidia-ml-py is not installed"
        return {}
    try:
        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        counters = {f"GPU {i}": _gpu_counter(pynvml, h) for i, h in enumerate(handles)}
        for counter in counters.values():
            counter(0.0)
    except pynvml.NVMLError as error:
        absent["GPU"] = f"NVML: {error}"
        return {}
    if not counters:
        absent["GPU"] = "NVML finds none"
    return counters


def _gpu_counter(nvml: Any, handle: Any) -> Counter:
    def joules(before: float) -> float:
        return float(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) * 1e-3 - before

    return joules


def _packages(powercap: Path, absent: dict[str, str]) -> dict[str, Counter]:
    zones = sorted(powercap.glob("intel-rapl:[0-9]"))
    counters = {}
    for zone in zones:
        try:
            name = (zone / "name").read_text(encoding="utf-8").strip()
            span = float((zone / "max_energy_range_uj").read_text(encoding="utf-8")) * 1e-6
            counter = _package_counter(zone / "energy_uj", span)
            counter(0.0)
        except (OSError, ValueError) as error:
            absent["CPU"] = f"{zone.name} cannot be read: {error}"
        else:
            counters[f"CPU {name}"] = counter
    if not zones:
        absent["CPU"] = f"no RAPL under {powercap}"
    return counters


def _package_counter(energy: Path, span: float) -> Counter:
    def joules(before: float) -> float:
        now = float(energy.read_text(encoding="utf-8")) * 1e-6
        return now - before if now >= before else now - before + span

    return joules
