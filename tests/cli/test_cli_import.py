"""arlif import of a module of one's own: what it refuses, and the cures that work afterwards."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from support.command_line import Cli
from support.small_runs import refused

OWN = """
import torch, arlif
from arlif import layers

def dense(*first):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        *first, layers.Flatten(), layers.Linear(64, 6), arlif.ARLIF(), layers.Linear(6, 10)
    )

def images():
    return dense(layers.Repeat(3))

def events():
    return dense()

def convolution():
    return dense(layers.Conv2d(1, 1, 3, padding=1), layers.Repeat(3))
"""


def saved(folder: Path, *lead: int) -> Path:
    """Images with these leading dimensions, as a file."""
    file = folder / f"images{len(lead)}-{lead[0]}.npy"
    np.save(file, np.random.default_rng(0).random((*lead, 1, 8, 8), np.float32))
    return file


@pytest.fixture
def imported(tmp_path: Path, cli: Cli) -> Path:
    """A run of a module of one's own, whose folder needs quotes in a shell."""
    (tmp_path / "mine.py").write_text(OWN)
    run = tmp_path / "my run"
    options = ("--calibrate", saved(tmp_path, 1, 5), "--time-steps", "3")
    code, out, _ = cli("import", tmp_path / "mine.py:images", run, *options)
    assert code == 0
    assert f"arlif verify '{run}' --inputs FILE.npy\n" in out
    return run


def cure(err: str, file: Path) -> list[str]:
    """The arguments of the command that a line ends with, FILE.npy replaced."""
    name, *arguments = shlex.split(err[err.rindex("arlif ") :])
    assert name == "arlif"
    return [str(file) if argument == "FILE.npy" else argument for argument in arguments]


def test_a_network_in_place_of_another_and_unscaled_images_are_said(
    imported: Path, tmp_path: Path, cli: Cli
) -> None:
    inputs = tmp_path / "raw.npy"
    given = np.load(saved(tmp_path, 1, 5))
    raw = np.random.default_rng(0).integers(0, 256, given.shape).astype(np.float32)
    options = ("--calibrate", inputs, "--time-steps", "3")
    for values, unscaled in ((raw, True), (raw / 255, False), (raw - 128, False)):
        np.save(inputs, values)
        code, out, _ = cli("import", tmp_path / "mine.py:images", imported, *options)
        said = " ".join(out.split())
        assert (code, "whole numbers up to 255, as images are stored" in said) == (0, unscaled)
        assert "held before is replaced" in said


def test_cures_on_an_imported_network_work(imported: Path, tmp_path: Path, cli: Cli):
    inputs = saved(tmp_path, 1, 5)
    compare = ("compare", imported, "--got", "onnx")
    assert cli(*cure(refused(cli, *compare), inputs))[0] == 0
    assert cli("export", imported)[0] == 0
    assert cli(*cure(refused(cli, *compare), inputs))[0] == 0
    code, out, _ = cli(*compare)
    assert code == 0
    assert "0 of 90 spikes differ\n" in out, "ONNX Runtime records no states"
    assert cli("simulate", imported, "--inputs", inputs, "--trace", "0")[0] == 0
    err = refused(cli, *compare)
    assert "integer was simulated without traces" in err
    assert cli(*cure(err, inputs))[0] == 0
    assert cli(*compare)[0] == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("raise SystemExit(3)\n", "3"),
        ("def images():\n    raise SystemExit\n", "None"),
        ("import sys\nsys.exit(len(sys.argv))\n", "1"),
    ],
)
def test_a_file_that_ends_the_program_is_told(tmp_path: Path, cli: Cli, text: str, code: str):
    (tmp_path / "mine.py").write_text(text)
    options = ("--calibrate", saved(tmp_path, 1, 5), "--time-steps", "3")
    err = refused(cli, "import", tmp_path / "mine.py:images", tmp_path / "run", *options)
    assert f"mine.py ends the program (exit code {code})" in err
    assert "if __name__ == '__main__'" in err


@pytest.mark.parametrize(
    ("function", "lead", "time_steps", "complaint"),
    [
        ("images", (1, 5), 8, "mine.py:images runs for 3 time steps, not 8"),
        ("images", (3, 5), 3, "images2-3.npy must be [1, N, 1, 8, 8]"),
        ("events", (1, 5), 3, "images2-1.npy must be [3, N, 1, 8, 8]"),
        ("images", (5,), 3, "images1-5.npy must be [1, N, *shape], one frame a sample, or [3, N, "),
        ("images", (3,), 3, "images1-3.npy must be [1, N, 8, 1, 8]"),
        ("convolution", (3,), 3, "images1-3.npy, read as [3, N, 8, 8], time first: 0 (Conv2d)"),
    ],
)
def test_calibration_and_time_steps_must_fit_the_module(
    tmp_path: Path, cli: Cli, function: str, lead: tuple[int, ...], time_steps: int, complaint: str
):
    (tmp_path / "mine.py").write_text(OWN)
    options = ("--calibrate", saved(tmp_path, *lead), "--time-steps", str(time_steps))
    err = refused(cli, "import", tmp_path / f"mine.py:{function}", tmp_path / "run", *options)
    assert complaint in err
    assert not (tmp_path / "run").exists()


def test_a_spread_over_seeds_is_of_trained_runs(imported: Path, exported: Path, cli: Cli) -> None:
    for run, seeds in ((exported, imported), (imported, exported)):
        error = refused(cli, "sweep", run, "--seeds", seeds)
        assert f"{imported} holds an imported network" in error
        assert "train the others with: arlif train RUN --set seed=N" in error
