"""Verbs killed at random moments: the next call ends well, and nothing of the killed is left."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import h5py
import psutil
import pytest
from support.command_line import Cli, exit_code
from support.small_runs import POINT, SMALL

from arlif.base.files import UNFINISHED, sweep
from arlif.base.lock import only_writer
from arlif.base.scratch import PREFIX, scratch

FEW = ("--samples", "2", "--trace", "2")
VERBS: tuple[tuple[str, ...], ...] = (
    ("train", "RUN", *SMALL, "--overwrite"),
    ("quantize", "RUN", "--samples", "9"),
    ("export", "RUN", "--c"),
    ("export", "RUN", "--verilog"),
    ("vectors", "RUN"),
    ("import", "RUN/network.net", "OTHER"),
    ("simulate", "RUN", "--samples", "20"),
    ("simulate", "RUN", "--samples", "4", "--engine", "onnx"),
    ("simulate", "RUN", "--samples", "4", "--engine", "c"),
    ("simulate", "RUN", "--samples", "2", "--engine", "lava"),
    ("simulate", "RUN", "--samples", "2", "--trace", "1", "--engine", "lava-lif"),
    ("simulate", "RUN", "--samples", "1", "--engine", "verilog"),
    ("compare", "RUN", "--got", "onnx"),
    ("energy", "RUN"),
    ("sweep", "RUN", *POINT, "--time-steps", "2", "--samples", "20", "--jobs", "2"),
    ("verify", "RUN", *FEW, "--engine", "onnx", "--engine", "c", "--engine", "lava"),
    ("verify", "RUN", *FEW, "--engine", "verilog", "--engine", "norse"),
    ("report", "RUN"),
)
TOOLS = {
    "c": shutil.which("cc"),
    "lava": find_spec("lava"),
    "lava-lif": find_spec("lava"),
    "norse": find_spec("norse"),
    "verilog": shutil.which("verilator"),
}
"""What engines need, where it is installed."""
AT_MOST_S = 40.0
"""No verb is let go on for longer."""


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
    """Processes whose temporary files lie in a folder; Lava's in one of their own within it."""
    found = []
    for process in psutil.process_iter():
        try:
            place = process.environ().get("TMPDIR", "")
            if Path(place).is_relative_to(folder) and process.status() != "zombie":
                found.append(" ".join(process.cmdline())[:200])
        except psutil.Error:
            continue
    return found


def left_in_shared_memory(before: set[str]) -> list[str]:
    """What is new in shared memory, and of no process that lives: none maps it, none names it."""
    found = []
    new = {*os.listdir("/dev/shm")} - before
    mapped = "".join(_maps(process) for process in psutil.pids()) if new else ""
    for name in new:
        owned = any(psutil.pid_exists(int(digits)) for digits in re.findall(r"[-_](\d+)[-_]", name))
        if f"/dev/shm/{name}" not in mapped and not owned:
            found.append(name)
    return found


def _maps(process: int) -> str:
    try:
        return Path(f"/proc/{process}/maps").read_text()
    except OSError:
        return ""


def half_written(folder: Path) -> list[Path]:
    """Files that cannot be read."""
    found = []
    for path in folder.rglob("[!.]*.*"):
        try:
            if path.suffix == ".json":
                json.loads(path.read_text())
            if path.suffix in {".h5", ".nir", ".net"}:
                h5py.File(path).close()
        except (OSError, ValueError):
            found.append(path)
    return found


@pytest.fixture(scope="module")
def whole(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that every verb can go on from."""
    run = Path(shutil.copytree(exported, tmp_path_factory.mktemp("whole") / "run"))
    assert exit_code("export", run, "--c") == 0
    if TOOLS["verilog"]:
        assert exit_code("export", run, "--verilog") == 0
    for engine in ("integer", "onnx"):
        assert exit_code("simulate", run, "--engine", engine, "--samples", "4") == 0
    return run


@dataclass(frozen=True)
class Place:
    """Where a verb is killed: its run, another folder, and one of its own for temporary files."""

    run: Path
    other: Path
    scratch: Path

    @classmethod
    def new(cls, whole: Path, root: Path) -> "Place":
        shutil.rmtree(root, ignore_errors=True)
        (root / "scratch").mkdir(parents=True)
        return cls(Path(shutil.copytree(whole, root / "run")), root / "other", root / "scratch")

    def words(self, verb: tuple[str, ...]) -> list[str]:
        places = {"RUN": str(self.run), "OTHER": str(self.other)}
        return [re.sub("RUN|OTHER", lambda found: places[found[0]], word) for word in verb]


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose name leaves room for the sockets of Lava's processes."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def killed(verb: tuple[str, ...], whole: Path, root: Path, draw: random.Random) -> Place:
    """Where it was killed at a random moment. A verb that ends before says how long it takes."""
    longest = AT_MOST_S
    while True:
        place, start = Place.new(whole, root), time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-m", "arlif", *place.words(verb)],
            env={**os.environ, "TMPDIR": str(place.scratch)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                _, err = process.communicate(timeout=longest * draw.uniform(0.1, 1))
            except subprocess.TimeoutExpired:
                process.kill()
                return place
        assert process.returncode == 0, err.decode()
        longest = time.monotonic() - start


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50))
def test_a_rerun_after_a_kill_ends_well(
    whole: Path, short_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli, seed: int
) -> None:
    verb = VERBS[seed % len(VERBS)]
    if missing := [word for word in verb if not TOOLS.get(word, True)]:
        pytest.skip(f"there is no {' and no '.join(missing)}")
    shared = {*os.listdir("/dev/shm")}
    place = killed(verb, whole, short_path / "place", random.Random(seed))
    assert half_written(short_path) == []
    monkeypatch.setattr("tempfile.tempdir", str(place.scratch))
    code, out, err = cli(*place.words(verb))
    assert code == 0, (verb, out, err)
    assert half_written(short_path) == []
    assert not list(short_path.rglob(f".*{UNFINISHED}"))
    assert not [*place.scratch.glob(f"{PREFIX}*"), *place.scratch.glob("pymp-*")]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not left_of(place.scratch) and not left_in_shared_memory(shared):
            break
        time.sleep(0.2)
    assert left_of(place.scratch) == []
    assert left_in_shared_memory(shared) == []
