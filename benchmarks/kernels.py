"""Kernels printed from the trace beside those that were written by hand, and an unseen neuron.

    python benchmarks/kernels.py [--quick]

The old kernels are compiled from the last commit that had them, which git must know. Both run in
turns, in one process and one thread, on arrays of 16 MiB; times are medians of CPU time. The limit
is the time to move what must be read and written, at the bandwidth of a copy.
"""

import argparse
import os
import statistics
import sys
from pathlib import Path

import kernels_float
import kernels_integer
import numpy as np
import torch
import unseen_neuron
from old_kernels import OLD, Row, has_old, keep_memory, seconds
from timing import machine

INSTRUCTIONS = ("avx2", "avx512f", "avx512bw", "avx512_vnni", "asimd", "sve")


def bandwidth(repeats: int) -> float:
    """Bytes a second that one thread reads and writes when it copies an array of the kernels' size.

    Such arrays lie partly in a large last-level cache, and a copy of them is faster for it, too.
    """
    source = np.zeros((kernels_float.STEPS, kernels_float.SIZE), np.float32)
    target = np.ones_like(source)
    times = [seconds(lambda: np.copyto(target, source)) for _ in range(repeats)]
    return 2 * source.nbytes / statistics.median(times)


def shown(row: Row, limit: float) -> str:
    """A line of the table. limit: bytes a nanosecond."""
    least = row.moved / limit
    same = "equal" if row.difference == 0 else f"{row.difference:.0e}"
    return (
        f"| {row.neuron} | {row.direction} | {row.old:.2f} | {row.new:.2f} | {row.ratio:.2f} "
        f"| {least:.2f} | {row.new / least:.1f} | {same} |"
    )


def main() -> int:
    """Measure and print; 2 where git lacks the old kernels, 1 where results differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions, fewer comparisons")
    quick = parser.parse_args().quick
    if not has_old():
        print(f"git has no commit {OLD}, a shallow clone? git fetch --unshallow", file=sys.stderr)
        return 2
    repeats, compared = (5, 10**6) if quick else (41, 10**7)
    keep_memory()
    torch.set_num_threads(1)
    print(machine(torch.device("cpu")), instructions(), f"load {os.getloadavg()[0]:.1f}")
    speed = bandwidth(max(repeats, 21))
    print(f"a copy moves {speed / 1e9:.1f} GB/s\n")
    print("| neuron | kernel | old, ns | new, ns | new / old | limit, ns | new / limit | results |")
    print("|---|---|---|---|---|---|---|---|")
    rows = []
    for measured in (kernels_integer.rows(repeats), kernels_float.rows(repeats, compared)):
        for row in measured:
            rows.append(row)
            print(shown(row, speed / 1e9), flush=True)
    ratios = [row.ratio for row in rows]
    print(f"\ngeometric mean {statistics.geometric_mean(ratios):.2f}, largest {max(ratios):.2f}")
    gradients = [row.difference for row in rows if row.direction == "backward"]
    others = [row for row in rows if row.direction != "backward"]
    equal = all(row.difference == 0 for row in others)
    print(f"integers and {compared:.0e} spikes a neuron equal: {equal}")
    print(f"gradients differ by at most {max(gradients):.1e} of the largest\n")
    unseen = unseen_neuron.measured(repeats)
    print("| unseen, operations | ns an operation | AR-LIF's | ratio | plain loop / kernel |")
    print("|---|---|---|---|---|")
    print(
        f"| {unseen.operations} | {unseen.each:.3f} | {unseen.of_arlif:.3f} | {unseen.ratio:.2f} "
        f"| {unseen.plain:.1f} |\n\nits gradients differ by {unseen.difference:.1e} from the "
        f"loop's; load {os.getloadavg()[0]:.1f}"
    )
    return 0 if equal and max(gradients) < 1e-5 else 1


def instructions() -> str:
    """Those of this CPU that kernels are faster with, as far as Linux tells them."""
    path = Path("/proc/cpuinfo")
    flags = set(path.read_text().split()) if path.exists() else set()
    return " ".join(name for name in INSTRUCTIONS if name in flags)


if __name__ == "__main__":
    sys.exit(main())
