"""Energy sensors: RAPL in the kernel's file format, absent sensors said to be absent."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hw_sim.energy.sensors import Measurement, measured


def package(root: Path, number: int, energy_uj: int, span_uj: int = 10_000_000) -> Path:
    zone = root / f"intel-rapl:{number}"
    zone.mkdir(parents=True)
    (zone / "name").write_text(f"package-{number}\n")
    (zone / "max_energy_range_uj").write_text(f"{span_uj}\n")
    (zone / "energy_uj").write_text(f"{energy_uj}\n")
    return zone


def test_packages_are_measured_even_when_the_counter_wraps(tmp_path: Path):
    first, second = package(tmp_path, 0, 2_000_000), package(tmp_path, 1, 9_500_000)
    (tmp_path / "intel-rapl:0:0").mkdir()  # a part of package 0, not a package
    with measured(tmp_path) as result:
        (first / "energy_uj").write_text("3250000\n")
        (second / "energy_uj").write_text("500000\n")
    cpu = {name: value for name, value in result.joules.items() if name.startswith("CPU")}
    assert cpu == pytest.approx({"CPU package-0": 1.25, "CPU package-1": 1.0})
    assert "CPU" not in result.absent
    assert result.seconds > 0


def test_an_absent_sensor_is_said_to_be_absent(tmp_path: Path):
    with measured(tmp_path / "nowhere") as result:
        pass
    assert "no RAPL" in result.absent["CPU"]
    assert not any(name.startswith("CPU") for name in result.joules)


def test_an_unreadable_sensor_is_said_to_be_unreadable(tmp_path: Path):
    zone = package(tmp_path, 0, 1)
    (zone / "energy_uj").write_text("no number\n")
    with measured(tmp_path) as result:
        pass
    assert "cannot be read" in result.absent["CPU"]
    assert not any(name.startswith("CPU") for name in result.joules)


def test_a_gpu_is_measured_or_said_to_be_absent(tmp_path: Path):
    with measured(tmp_path) as result:
        pass
    assert ("GPU" in result.absent) != any(name.startswith("GPU") for name in result.joules)


def test_a_package_that_does_nothing_takes_nothing(tmp_path: Path):
    package(tmp_path, 0, 2_000_000)
    with measured(tmp_path) as result:
        pass
    assert result.joules["CPU package-0"] == 0


def test_a_gpu_counts_in_thousandths_of_a_joule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    readings = iter([10_000, 10_000, 12_500])  # tried, before, after
    driver = SimpleNamespace(
        NVMLError=OSError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: next(readings),
    )
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    with measured(tmp_path) as result:
        pass
    assert result.joules == pytest.approx({"GPU 0": 2.5})


def test_energy_of_one_inference_is_in_microjoules():
    measurement = Measurement(3.0, {"CPU package-0": 2.0}, {"GPU": "none"})
    assert measurement.per_inference(4) == {
        "seconds": 3.0,
        "energy_uj": {"CPU package-0": 500_000.0},
        "absent": {"GPU": "none"},
    }


def test_what_goes_wrong_inside_comes_out(tmp_path: Path):
    with pytest.raises(KeyError), measured(tmp_path):
        raise KeyError
