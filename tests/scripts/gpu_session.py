"""Everything that wants a GPU, in one call: `make test-gpu`. Without one it says so and succeeds.

Tests of the Triton kernels and of the integer engine against the reference, then the speed of
neurons and of training steps; figures go to runs/gpu.
"""

import subprocess
import sys

import torch

OUTPUT = ("--device", "cuda", "--output", "runs/gpu")
COMMANDS = (
    (
        "-m",
        "pytest",
        "-m",
        "slow or not slow",
        "tests/kernels/test_kernels_gpu.py",
        "tests/kernels/test_gpu.py",
    ),
    ("benchmarks/neuron_training.py", "--sweep", *OUTPUT),
    (
        "benchmarks/neuron_training.py",
        "--dtype",
        "bfloat16",
        "--device",
        "cuda",
        "--output",
        "runs/gpu/bf16",
    ),
    ("benchmarks/training.py", "--batch", "64", "--plain", *OUTPUT),
)

if not torch.cuda.is_available():
    sys.stdout.write("there is no GPU that torch can use: nothing was tested\n")
    sys.exit()
codes = [subprocess.run([sys.executable, *command], check=False).returncode for command in COMMANDS]
sys.exit(max(codes))
