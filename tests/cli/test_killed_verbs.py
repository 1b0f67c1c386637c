"""Verbs killed at random moments: the next call ends well, and nothing of the killed is left."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from support.command_line import Cli, exit_code
from support.small_runs import POINT, SMALL

from arlif.base.files import UNFINISHED, sweep
from arlif.base.lock import only_writer
from arlif.base.scratch import PREFIX, scratch

VERBS: tuple[tuple[str, ...], ...] = (
    ("train", "RUN", *SMALL, "--overwrite"),
    ("quantize", "RUN", "--samples", "9"),
    ("export", "RUN", "--c"),
    ("simulate", "RUN", "--samples", "20"),
    ("simulate", "RUN", "--samples", "4", "--engine", "onnx"),
    ("simulate", "RUN", "--samples", "4", "--engine", "c"),
    ("compare", "RUN", "--got", "onnx"),
    ("energy", "RUN"),
    ("sweep", "RUN", *POINT, "--time-steps", "2", "--samples", "20", "--jobs", "2"),
    ("report", "RUN"),
)


def test_what_a_killed_process_began_to_write_is_removed(tmp_path: Path) -> None:
    ours, theirs = tmp_path / f"c/.network.c.abc{UNFINISHED}", tmp_path / ".hidden"
    ours.parent.mkdir()
    for path in (ours, theirs):
        path.write_text("half")
    with only_writer(tmp_path, "export"):
        assert not ours.exists()
    assert theirs.exists()
    sweep(tmp_path)
    assert theirs.exists()


def test_scratch_folders_of_dead_processes_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    hold = "import time\nfrom arlif.base.scratch import scratch\n" + (
        "with scratch() as folder:\n    (folder / 'x').touch()\n    print(folder, flush=True)\n"
        "    time.sleep(100)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", hold]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as other:
        assert other.stdout
        left = Path(other.stdout.readline().strip())
        with scratch() as mine:
            assert left.exists()
            assert mine != left
        other.kill()
    assert left.exists()
    with scratch() as mine:
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []


def left_of(folder: Path) -> list[str]:
    """Processes that name a folder in their command line or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(folder) and process.status() != "zombie":
                found.append(" ".join(process.cmdline())[:200])
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="module")
def whole(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that every verb can go on from."""
    run = Path(shutil.copytree(exported, tmp_path_factory.mktemp("whole") / "run"))
    assert exit_code("export", run, "--c") == 0
    for engine in ("integer", "onnx"):
        assert exit_code("simulate", run, "--engine", engine, "--samples", "4") == 0
    return run


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(50))
def test_a_rerun_after_a_kill_ends_well(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli, seed: int
) -> None:
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    scratches = tmp_path / "scratch"
    scratches.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratches))
    shared = set(os.listdir("/dev/shm"))
    verb = [str(run) if word == "RUN" else word for word in VERBS[seed % len(VERBS)]]
    with subprocess.Popen(
        [sys.executable, "-m", "arlif", *verb],
        env={**os.environ, "TMPDIR": str(scratches)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as killed:
        time.sleep(random.Random(seed).uniform(0.5, 15))
        killed.send_signal(signal.SIGKILL)
    code, out, err = cli(*verb)
    assert code == 0, (verb, out, err)
    deadline = time.monotonic() + 30
    while left_of(scratches) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left_of(scratches) == []
    assert not list(run.rglob(f".*{UNFINISHED}"))
    assert not list(scratches.glob(f"{PREFIX}*"))
    left = [name for name in os.listdir("/dev/shm") if name not in shared and "joblib" in name]
    assert [name for name in left if f"_{os.getpid()}_" not in name] == []  # ours ends with us
