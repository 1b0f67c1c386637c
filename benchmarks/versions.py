"""Two checkouts of arlif in one run, in turns: CPU seconds of each engine and of a training step.

    python benchmarks/versions.py OLD NEW [--rounds 9] [--only integer] [--lava]

OLD and NEW are folders of checkouts. Each runs in a process of its own, on one thread, its networks
made by its own benchmarks/engine.py from the same seeds; that both give the same integers is
checked. What is compared is CPU time, in which other programs count for little, the children's too.
Says the least of all rounds, and the median of the ratios of two turns that follow one another.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SMALL = "small, unpooled: 28x28, conv 16, conv 32, dense 10"
LARGE = "ResNet-18"


def jobs(folder: Path, lava: bool) -> dict[str, Callable[[], Any]]:
    """What is timed, ready to run, by name; each gives what it computed."""
    import torch
    from engine import cases
    from torch import nn

    from export.onnx import write_onnx
    from hw_sim.engines import onnx
    from hw_sim.engines.integer.fast import FastEngine
    from hw_sim.engines.simulation import Record

    torch.set_num_threads(1)
    known = cases()
    found: dict[str, Callable[[], Any]] = {}
    for title, name, samples in (("small", SMALL, 32), ("ResNet-18", LARGE, 2)):
        network = known[name].quantized()
        inputs = network.input.encode(known[name].images().numpy()[0, :samples])
        steps, engine = network.time_steps, FastEngine(network)
        path = folder / f"{title}.onnx"
        write_onnx(network, path)
        graph = onnx.load(path)
        found[f"{title}: integer engine"] = lambda e=engine, i=inputs, t=steps: e.simulate(i, t)
        found[f"{title}: ONNX"] = lambda g=graph, i=inputs, t=steps: g.simulate(i, t, Record())
        if lava and title == "small":
            from hw_sim.engines.lava import simulate

            found[f"{title}: Lava"] = lambda n=network, i=inputs[:8], t=steps: simulate(n, i, t)
    module = known[SMALL].module.train()
    images, labels = known[SMALL].images(), torch.arange(known[SMALL].batch) % 10
    optimizer = torch.optim.SGD(module.parameters(), 1e-4)

    def train() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(images).mean(0), labels).backward()
        optimizer.step()

    found["small: training step"] = train
    return found


def seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def serve(lava: bool, only: str) -> None:
    """Runs a job for each name that comes in: its CPU time, and a digest of what it computed."""
    with TemporaryDirectory() as folder:
        ready = {name: job for name, job in jobs(Path(folder), lava).items() if only in name}
        for job in ready.values():
            job()
        sys.stdout.write(json.dumps(list(ready)) + "\n")
        sys.stdout.flush()
        for line in sys.stdin:
            start = seconds()
            done = ready[line.strip()]()
            taken = seconds() - start
            digest = sha256(done.readout.tobytes()).hexdigest() if done else ""
            sys.stdout.write(json.dumps([taken, digest]) + "\n")
            sys.stdout.flush()


def start(checkout: Path, lava: bool, only: str) -> "subprocess.Popen[str]":
    """A process that serves a checkout's jobs."""
    path = os.pathsep.join(map(str, (checkout.resolve(), checkout.resolve() / "benchmarks")))
    alone = "-P"  # else this script's folder comes before the checkout's
    command = [sys.executable, alone, __file__, "--serve", "--only", only]
    if lava:
        command.append("--lava")
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}, **pipes
    )


def ask(process: "subprocess.Popen[str]", job: str) -> tuple[float, str]:
    """One turn."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{job}\n")
    process.stdin.flush()
    taken, digest = json.loads(process.stdout.readline())
    return taken, digest


def main() -> None:
    """Time both and print a row a job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkouts", type=Path, nargs="*", metavar="OLD NEW")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="a part of the names of what is timed")
    parser.add_argument("--lava", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.lava, given.only)
        return
    if len(given.checkouts) != 2:
        parser.error("two checkouts are compared: OLD NEW")
    old, new = (start(checkout, given.lava, given.only) for checkout in given.checkouts)
    assert old.stdout
    assert new.stdout
    names = json.loads(old.stdout.readline())
    assert json.loads(new.stdout.readline()) == names
    heads = f"{'old':>9} {'new':>9} {'new/old':>8} {'median':>7}"
    print(f"{'CPU seconds, least of all rounds':34} {heads}")
    for name in names:
        times: dict[str, list[float]] = {"old": [], "new": []}
        for turn in range(given.rounds):
            pair = [("old", old), ("new", new)][:: 1 if turn % 2 else -1]
            answers = {which: ask(process, name) for which, process in pair}
            assert answers["old"][1] == answers["new"][1], f"{name}: other integers"
            for which, (taken, _) in answers.items():
                times[which].append(taken)
        least = {which: min(taken) for which, taken in times.items()}
        ratios = [n / o for o, n in zip(times["old"], times["new"], strict=True)]
        print(
            f"{name:34} {least['old']:9.4f} {least['new']:9.4f} "
            f"{least['new'] / least['old']:8.3f} {statistics.median(ratios):6.3f}",
            flush=True,
        )
    for process in (old, new):
        assert process.stdin
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    main()
