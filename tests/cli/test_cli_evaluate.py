"""arlif evaluate: the trained network and its integers, in one or many processes, on a cluster."""

import json
from pathlib import Path

import pytest
import torch
from support.command_line import exit_code as verb


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network on digits, trained for one epoch and quantized."""
    folder = tmp_path_factory.mktemp("evaluate") / "run"
    assert verb("train", folder, "--set", "epochs=1") == 0
    assert verb("quantize", folder) == 0
    return folder


def result(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict:
    """What evaluate answers, less what was measured meanwhile."""
    capsys.readouterr()
    assert verb("evaluate", *arguments, "--json") == 0
    content = json.loads(capsys.readouterr().out)
    measured = content.pop("measured")
    sensors = (*measured["energy_uj"], *measured["absent"])
    assert {name.split()[0] for name in sensors} == {"CPU", "GPU"}
    assert measured["seconds"] > 0
    return content


def test_integers_and_float_answer_alike(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    floats = result(capsys, run)
    assert floats.keys() == {"accuracy", "loss", "confusion", "classes", "spike_rate"}
    integers = result(capsys, run, "--engine", "integer")
    assert integers["samples"] == sum(map(sum, floats["confusion"])) == 450
    assert integers["accuracy"] == integers["correct"] / 450
    assert integers["accuracy"] == pytest.approx(floats["accuracy"], abs=0.03)
    rates = [integers["spike_rate"], floats["spike_rate"]]
    assert list(rates[0].values()) == pytest.approx(list(rates[1].values()), abs=0.03)
    assert verb("simulate", run, "--engine", "integer", "--json") == 0
    simulated = json.loads(capsys.readouterr().out)
    assert simulated["accuracy"] == integers["accuracy"]
    assert simulated["spike_rate"] == pytest.approx(integers["spike_rate"], rel=1e-12)


@pytest.mark.slow
def test_several_processes_answer_the_same(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = result(capsys, run, "--engine", "integer")
    assert result(capsys, run, "--engine", "integer", "--jobs", 2) == alone


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_answers_the_same(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    distributed = pytest.importorskip("dask.distributed", reason="dask.distributed is missing")
    alone = result(capsys, run, "--engine", "integer")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        assert result(capsys, run, "--engine", "integer", "--dask", address) == alone


def test_tables_for_people(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert verb("evaluate", run, "--engine", "integer") == 0
    out = capsys.readouterr().out
    assert "Spike rate" in out
    assert "on 450 samples" in out
    assert "measured per inference" in out


def test_wrong_use_is_one_line(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    for message, arguments in (
        ("--engine integer", (run, "--jobs", 2)),
        ("--engine integer", (run, "--device", "cuda")),
        ("there is no run in", (tmp_path, "--engine", "integer")),
        ("Dask", (run, "--engine", "integer", "--dask", "tcp://127.0.0.1:9")),
    ):
        assert verb("evaluate", *arguments) == 2
        err = capsys.readouterr().err
        assert message in err
        assert "Traceback" not in err


@pytest.mark.parametrize("name", ["evaluate", "simulate"])
def test_a_missing_gpu_is_one_line(
    run: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    capsys.readouterr()
    assert verb(name, run, "--engine", "integer", "--device", "cuda") == 2
    err = capsys.readouterr().err
    assert "device cuda needs a GPU" in err
    assert "Traceback" not in err
    assert verb("simulate", run, "--engine", "onnx", "--device", "cuda") == 2
    assert "needs --engine integer, not onnx" in capsys.readouterr().err


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU that torch can use")
def test_a_gpu_answers_the_same(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alone = result(capsys, run, "--engine", "integer")
    assert result(capsys, run, "--engine", "integer", "--device", "cuda") == alone
    assert verb("simulate", run, "--device", "cuda", "--json") == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == alone["accuracy"]
