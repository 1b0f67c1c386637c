"""What is asked reaches Lava's workers, each with its share; what Lava needs is found out."""

from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from support.networks_small import digits_like

from arlif.base.errors import ArlifError, SimulationError
from arlif.core.equality import fingerprint
from arlif.core.maps import Dense
from arlif.core.network import INPUT, READOUT, Input, Projection, QuantizedNetwork, Readout
from export.lava import write_net
from hw_sim.engines.lava import install, launch, shared_memory
from hw_sim.engines.lava.job import Job
from hw_sim.engines.lava.lava_options import LavaOptions, Models
from hw_sim.engines.simulation import Record, Simulation
from hw_sim.engines.table import LAVA
from hw_sim.engines.work import Work


@pytest.mark.parametrize("traced", [0, 3])
def test_the_row_passes_on_what_is_asked(
    traced: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, _ = digits_like(samples=1)
    write_net(network, tmp_path / "network.net")
    seen: list[Any] = []

    def simulate(*given: Any, **named: Any) -> Simulation:
        seen.extend([*given, named])
        return Simulation(np.zeros((2, 10)), {}, {})

    monkeypatch.setattr(launch, "simulate", simulate)
    options = LavaOptions(time_limit_s=9.0, models=Models.STOCK, workers=3)
    real = torch.full((1, 2, 1, 8, 8), 2.0)
    outcome = LAVA.run(Work(tmp_path / "network.net", real, 7, traced, options, print))
    given, raw, steps, record, named = seen
    assert (given, steps) == (network, 7)
    np.testing.assert_array_equal(raw, network.input.encode(real[0]))
    assert record == (Record.everything(network) if traced else Record())
    assert named == {
        "time_limit_s": 9.0,
        "models": Models.STOCK,
        "workers": 3,
        "progress": print,
    }
    assert (outcome.network, outcome.clipped) == (fingerprint(network), 1.0)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, Job]]:
    """In place of workers: the inputs and the job of each; readouts are the first inputs."""
    started: list[tuple[np.ndarray, Job]] = []

    def start(folder: Path) -> str:
        started.append((np.load(folder / Job.INPUTS), Job.read(folder)))
        return folder.name

    def results(folder: Path, network: QuantizedNetwork, record: Record) -> Simulation:
        inputs = started[int(folder.name)][0]
        return Simulation((inputs if network.input.static else inputs[0])[:, :1], {}, {})

    fake = SimpleNamespace(start=start, watch=lambda *given: None, end=lambda worker: None)
    monkeypatch.setattr(launch, "supervise", fake)
    monkeypatch.setattr(launch, "require_lava", lambda: None)
    monkeypatch.setattr(launch, "_results", results)
    monkeypatch.setattr(shared_memory, "free", lambda: 2**40)
    return started


@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize(
    ("count", "shares", "batch"), [(1, [5], 5), (2, [3, 2], 3), (5, [1] * 5, 1), (9, [1] * 5, 1)]
)
def test_workers_share_the_samples(static: bool, count: int, shares, batch, workers) -> None:
    maps = (Dense(np.ones((1, 2), int)),)
    network = QuantizedNetwork(
        Input((2,), 1.0, static=static),
        (),
        (Projection(INPUT, READOUT, maps),),
        Readout([0]),
        4,
    )
    inputs = np.arange(10).reshape(5, 2) if static else np.arange(40).reshape(4, 5, 2)
    got = launch.simulate(network, inputs, 4, workers=count)
    axis = 0 if static else 1
    assert [part.shape[axis] for part, _ in workers] == shares
    np.testing.assert_array_equal(np.concatenate([part for part, _ in workers], axis), inputs)
    assert {job for _, job in workers} == {Job(4, batch, Models.FAST, Record())}
    np.testing.assert_array_equal(got.readout, (inputs if static else inputs[0])[:, :1])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"workers": 0}, "at least one worker is needed, not 0"),
        ({"time_limit_s": 0.0}, r"must be positive, not 0\.0"),
        ({"batch": 0}, "batch is at least 1, .* not 0"),
        ({"batch": 2, "models": Models.STOCK}, "1 with stock models, not 2"),
    ],
)
def test_what_makes_no_sense_starts_no_worker(options: Any, told: str, workers: Any) -> None:
    network, inputs = digits_like(samples=2)
    with pytest.raises(ArlifError, match=told):
        launch.simulate(network, inputs, 4, **options)
    assert not workers


@pytest.mark.parametrize(("release", "ok"), [("1.26.4", True), ("2.3.9", True), ("2.4.0", False)])
def test_numpy_up_to_2_4_will_do(release: str, ok: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "np", SimpleNamespace(__version__=release))
    found = install._numpy()
    assert (found.found, found.ok, bool(found.cure)) == (release, ok, not ok)


@pytest.mark.parametrize(
    ("name", "release", "ok"),
    [
        ("lava-nc", "0.10.0", True),
        ("lava-nc", "0.10.1", False),
        ("lava-nc", None, False),
        ("scipy", "9.9", True),
        ("scipy", None, False),
    ],
)
def test_pinned_packages_are_of_their_release(
    name: str, release: str | None, ok: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "installed", lambda package: release)
    assert install._package(name).ok == ok


def test_64_mib_of_shared_memory_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for room, ok in ((2**26, True), (2**26 - 1, False)):
        monkeypatch.setattr(install, "free", lambda room=room: room)
        assert install._shared_memory().ok == ok


def test_what_is_missing_is_installed_beside_lava(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lava's two packages without what they require, and ignoring which Python they ask for."""
    commands: list[list[str]] = []

    def run(command: list[str], **given: Any) -> CompletedProcess[str]:
        commands.append(command[4:])
        return CompletedProcess(command, len(commands) - 1, "", "no network")

    monkeypatch.setattr(install.subprocess, "run", run)
    here = {"scipy": "1", "h5py": "1", "networkx": "1", "scikit-learn": "1"}
    monkeypatch.setattr(install, "installed", here.get)
    with pytest.raises(SimulationError, match="asteval failed:\nno network"):
        install.install()
    assert commands == [
        ["--no-deps", "--ignore-requires-python", "lava-nc==0.10.0", "lava-dl==0.6.0"],
        ["asteval"],
    ]
