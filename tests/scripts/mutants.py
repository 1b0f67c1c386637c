"""How many faults of one line do tests see? `make mutants` prints the share, and every survivor.

A seeded sample of faults (support/mutations.py: what they are) is drawn over the folders of ROOMS,
as many from each. For each fault, in a copy of the project in a temporary folder, the tests of that
folder's mirror run until one fails, quick files first; a run that takes far longer than without a
fault counts as killed and is listed. The same seed draws the same sample from the same code.

A survivor is a test that is missing, or a fault that changes nothing: no program can tell which.
Not drawn: hw_sim/engines/lava and what tests marked lava or slow see, whose every run starts
processes. Options: --seed, --count, --minutes, --workers, --least (the share that must die), and
folders of ROOMS. mutmut instruments all code at once and knows no sample; cosmic-ray writes into
the tree that it tests, and knows one command for all files.
"""

import argparse
import compileall
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree

from support.mutations import Mutation, mutations, sample

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {
    "arlif/core": ("tests/core", "tests/docs/test_numerics_doc.py"),
    "arlif/arithmetic": ("tests/arithmetic", "tests/engines", "tests/quantize"),
    "hw_sim/engines": ("tests/engines",),
    "hw_sim/energy": ("tests/energy",),
    "export": ("tests/export",),
}
"""Folders that faults are drawn from, and the tests that must see them."""
LEFT_OUT = "hw_sim/engines/lava"
ON_A_CLOCK = "30_percent"
"""Tests with this in their name measure time, which other work beside them changes."""
IGNORED = (".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "build", "runs", "*.egg-info")
Result = TypeVar("Result")
KILLED, SURVIVED, HUNG = "killed", "survived", "killed by its time limit"


@dataclass(frozen=True)
class Mirror:
    """Files with a room's tests, quick ones first, and how long one run may take."""

    files: tuple[str, ...]
    limit_s: float


@dataclass
class Tally:
    """What became of the faults so far."""

    faults: list[tuple[str, Mutation]]
    deadline: float
    started: float = field(default_factory=time.monotonic)
    ends: list[tuple[Mutation, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, mutation: Mutation, end: str) -> None:
        """One more fault; a line says so."""
        with self.lock:
            self.ends.append((mutation, end))
            minutes = (time.monotonic() - self.started) / 60
            say(
                f"[{len(self.ends)}/{len(self.faults)}] {minutes:.1f} min  "
                f"{mutation.path}:{mutation.line}  {end}"
            )


def say(text: str) -> None:
    """A line now, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def found(room: str) -> list[Mutation]:
    """Every fault of a room."""
    paths = (path.relative_to(ROOT).as_posix() for path in sorted((ROOT / room).rglob("*.py")))
    return [
        mutation
        for path in paths
        if not path.startswith(LEFT_OUT)
        for mutation in mutations(path, (ROOT / path).read_text(encoding="utf-8"))
    ]


def run(tree: Path, words: tuple[str, ...], limit_s: float) -> tuple[str, str]:
    """How the tests in a copy of the project end, and what they say."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["-m", "not slow and not lava", "-k", f"not {ON_A_CLOCK}", *words]
    variables = {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    tests = subprocess.Popen(
        command,
        cwd=tree,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = tests.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        return HUNG, ""
    finally:
        with suppress(ProcessLookupError):
            os.killpg(tests.pid, signal.SIGKILL)
        tests.wait()
    return KILLED if tests.returncode else SURVIVED, said


def mirror(tree: Path, room: str) -> Mirror:
    """A room's tests without a fault, in a copy of the project: exits where they fail."""
    report, started = tree.parent / f"{room.replace('/', '-')}.xml", time.monotonic()
    end, said = run(tree, (*ROOMS[room], f"--junitxml={report}"), 1800.0)
    if end != SURVIVED:
        sys.exit(f"{said}\nthe tests of {room} fail without a fault, or take 30 minutes")
    seconds: Counter[str] = Counter()
    for case in ElementTree.parse(report).iter("testcase"):
        seconds[case.attrib["classname"]] += float(case.attrib["time"])
    files = tuple(f"{name.replace('.', '/')}.py" for name, _ in reversed(seconds.most_common()))
    took = time.monotonic() - started
    say(f"{room}: {len(files)} test files, {took:.0f} s")
    return Mirror(files, 3 * took + 30)


def attempt(tree: Path, tests: Mirror, mutation: Mutation, tally: Tally) -> None:
    """One fault in a copy of the project, taken back afterwards; nothing where time is up."""
    left = tally.deadline - time.monotonic()
    if left <= 0:
        return
    path = tree / mutation.path
    source, times = path.read_text(encoding="utf-8"), path.stat()
    path.write_text(mutation.apply(source), encoding="utf-8")
    end, _ = run(tree, tests.files, min(tests.limit_s, left))
    path.write_text(source, encoding="utf-8")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # its compiled file stays good
    if end != HUNG or left >= tests.limit_s:
        tally.add(mutation, end)


def side_by_side(trees: list[Path], works: list[Callable[[Path], Result]]) -> list[Result]:
    """Each work in a copy of the project that no other work uses meanwhile."""
    free: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for tree in trees:
        free.put(tree)

    def in_a_copy(work: Callable[[Path], Result]) -> Result:
        tree = free.get()
        try:
            return work(tree)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as pool:
        return list(pool.map(in_a_copy, works))


def summary(tally: Tally) -> float:
    """Print survivors and score; the share that died."""
    for wanted in (HUNG, SURVIVED):
        for mutation in sorted((m for m, end in tally.ends if end == wanted), key=str):
            say(f"\n{mutation.path}:{mutation.line}  {wanted}")
            say(f"- {mutation.before.strip()}\n+ {mutation.after.strip()}")
    alive = sum(end == SURVIVED for _, end in tally.ends)
    tried, drawn = len(tally.ends), len(tally.faults)
    share = (tried - alive) / max(tried, 1)
    say(f"\n{tried - alive} of {tried} faults were seen ({100 * share:.0f} %)")
    if tried < drawn:
        say(f"time is up: {drawn - tried} of {drawn} were not tried")
    return share


def main() -> None:
    """Read the words, draw, try, and say; exit 1 where too many survive."""
    words = argparse.ArgumentParser(description="Faults of one line, and whether tests see them.")
    words.add_argument("rooms", nargs="*", help=f"of {', '.join(ROOMS)}; all by default")
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--count", type=int, default=60)
    words.add_argument("--minutes", type=float, default=30.0)
    words.add_argument("--workers", type=int, default=2)
    words.add_argument("--least", type=float, default=0.85)
    given = words.parse_args()
    rooms = given.rooms or list(ROOMS)
    if not set(rooms) <= set(ROOMS):
        words.error(f"folders are {', '.join(ROOMS)}, not {', '.join(rooms)}")
    faults = sample({room: found(room) for room in rooms}, given.count, given.seed)
    tally = Tally(faults, time.monotonic() + 60 * given.minutes)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees = [Path(folder, str(number)) for number in range(given.workers)]
        shutil.copytree(ROOT, trees[0], ignore=shutil.ignore_patterns(*IGNORED))
        compileall.compile_dir(trees[0], quiet=2)
        for tree in trees[1:]:
            shutil.copytree(trees[0], tree)
        whole = side_by_side(trees, [partial(mirror, room=room) for room in rooms])
        mirrors = dict(zip(rooms, whole, strict=True))
        side_by_side(
            trees,
            [
                partial(attempt, tests=mirrors[room], mutation=mutation, tally=tally)
                for room, mutation in faults
            ],
        )
    if summary(tally) < given.least:
        sys.exit(f"fewer than {100 * given.least:g} % were seen")


if __name__ == "__main__":
    main()
