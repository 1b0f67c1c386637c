"""How long one sample takes: the integer engine beside float networks elsewhere.

    python benchmarks/latency.py [--rounds 7] [--threads 1] [--compiled] [--only NAME]

Networks of engine.py at batch 1, inputs all at once. "ONNX Runtime float" is the same float network
as export.onnx writes it, logits alone; "torch float" the module itself, with our fused neuron,
eager, with --compiled by torch.compile too; "snnTorch float" the same small network of its Leaky
neurons. Writes latency.json.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from command import command, save
from engine import FAST, FLOAT, Case, cases, snntorch_small
from timing import interleaved, machine

from arlif.base.scratch import scratch
from export.onnx.float_graph import LOGITS, write_onnx_float
from export.onnx.integer_graph import TIME_STEPS
from hw_sim.engines.integer.fast import FastEngine

RUNTIME = "ONNX Runtime float"


def runtime(case: Case, threads: int) -> Callable[[], object]:
    """One run of the float network in a session of ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    with scratch() as folder:
        path = folder / "network.onnx"
        write_onnx_float(case.module, path, case.shape)
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    known = {"input": case.images().numpy(), TIME_STEPS: np.array(case.time_steps)}
    given = {value.name: known[value.name] for value in session.get_inputs()}
    return lambda: session.run([LOGITS], given)


def measure(name: str, case: Case, rounds: int, compiled: bool) -> dict[str, object]:
    """Milliseconds of one sample, and what the others take relative to the engine."""
    network, images = case.quantized(), case.images()
    raw, engine = network.input.encode(images[0].numpy()), FastEngine(network)
    runs: dict[str, Callable[[], object]] = {
        FAST: lambda: engine.simulate(raw, case.time_steps),
        RUNTIME: runtime(case, torch.get_num_threads()),
        FLOAT: torch.no_grad()(lambda: case.module(images)),
    }
    if compiled:
        faster = torch.compile(case.module)
        runs["torch.compile float"] = torch.no_grad()(lambda: faster(images))
    if name.startswith("small") and find_spec("snntorch"):
        runs["snnTorch float"] = snntorch_small("unpooled" not in name, batch=1)
    timings = interleaved(runs, rounds, torch.device("cpu"))
    milliseconds = {n: timing.median * 1e3 for n, timing in timings.items()}
    return {
        "time_steps": case.time_steps,
        "milliseconds": milliseconds,
        "over_integer_engine": {n: ms / milliseconds[FAST] for n, ms in milliseconds.items()},
        "spread": {n: str(t) for n, t in timings.items()},
        "ways": {f"{a} to {b}": dict(ways) for (b, a), ways in engine.ways().items()},
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compiled", action="store_true", help="torch.compile too (slow to start)")
    parser.add_argument("--only", default="", help="part of a network's name")
    parser.add_argument("--output", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    results = {}
    for name, case in cases().items():
        if arguments.only not in name:
            continue
        alone = replace(case, batch=1)
        results[name] = measure(name, alone, arguments.rounds, arguments.compiled)
        print(name, results[name]["milliseconds"], results[name]["over_integer_engine"])
    content = {"machine": machine(torch.device("cpu")), "results": results}
    save(arguments.output, "latency.json", content)


if __name__ == "__main__":
    command(main)
