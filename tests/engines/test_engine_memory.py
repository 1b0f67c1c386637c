"""The engine's memory depends neither on T nor on the number of samples.

Peaks are those of whole processes, as the system counts them.
"""

import subprocess
import sys

import pytest
from support.places import ROOT

MEASURE = """
import resource, sys
import torch
from support.networks_small import images, quantized, randomise
from arlif import ARLIF, layers
from arlif.networks import NetworkConfig, NeuronConfig, PreActResNet, build
from hw_sim.engines.integer.tally import evaluate

kind, steps, batches, batch = sys.argv[1], *map(int, sys.argv[2:])
torch.set_num_threads(1)
torch.manual_seed(0)
if kind == "resnet18":
    shape = (3, 32, 32)
    net = build(NetworkConfig(PreActResNet(), NeuronConfig(), shape, 10, steps, static=True))
else:
    shape = (1, 32, 32)
    net = torch.nn.Sequential(
        layers.Conv2d(1, 16, 3, padding=1), layers.BatchNorm2d(16), layers.Repeat(steps), ARLIF(),
        layers.AvgPool2d(2), layers.Conv2d(16, 32, 3, padding=1), layers.BatchNorm2d(32), ARLIF(),
        layers.Flatten(), layers.Linear(32 * 16 * 16, 10),
    )
network = quantized(randomise(net), shape, time_steps=steps, samples=8)
raw = network.input.encode(images(shape, batch, seed=1)[0].numpy())
labels = torch.zeros(batch, dtype=torch.int64).numpy()
tally = evaluate(network, ((raw, labels) for _ in range(batches)), steps)
assert tally.samples == batches * batch
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def peak(kind: str, time_steps: int, batches: int, batch: int) -> int:
    """Bytes that a process of its own held at most."""
    numbers = [str(n) for n in (time_steps, batches, batch)]
    command = [sys.executable, "-c", MEASURE, kind, *numbers]
    folder = ROOT / "tests"
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_memory_grows_with_neither_steps_nor_samples() -> None:
    few = peak("small", 16, 1, 64)
    assert peak("small", 128, 1, 64) < few + 30 * 2**20
    assert peak("small", 16, 8, 64) < few + 30 * 2**20


@pytest.mark.slow
def test_resnet18_takes_less_than_4_gb_for_a_batch_of_64() -> None:
    assert peak("resnet18", 4, 1, 64) < 4e9
