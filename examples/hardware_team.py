"""A network handed to a hardware team: vectors, their implementation, and what is wrong with it.

The team is hardware/numpy_chip.py, a program of its own that knows nothing but the files.

Run: python examples/hardware_team.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import torch

import arlif
from arlif import layers
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from export.nir import write_nir
from hw_sim.pipeline import compare_foreign_run, vectors_run

CHIP = Path(__file__).parent / "hardware" / "numpy_chip.py"


def main() -> None:
    """Build a network, write its vectors, let the chip run them, compare; then break the chip."""
    torch.manual_seed(0)
    images = torch.rand(1, 16, 1, 8, 8)
    net = torch.nn.Sequential(
        layers.Conv2d(1, 8, 3, padding=1),
        layers.BatchNorm2d(8),
        layers.Repeat(4),
        arlif.ARLIF(),
        layers.AvgPool2d(2),
        layers.Flatten(),
        layers.Linear(128, 10),
    )
    net(images)  # stands for training: gives batch norm its statistics
    linear = linearize(net.eval(), input_shape=(1, 8, 8))
    source = calibrate_input(images, linear.input_shape, linear.static)
    network = quantize(linear, source, Precision(weight_bits=8), time_steps=4)

    with tempfile.TemporaryDirectory() as place:
        run, traces = Path(place), Path(place) / "traces.npz"
        write_nir(network, run / "network.nir")
        vectors = vectors_run(run)["folder"]
        for fault in ("", "gain", "neuron"):
            subprocess.run([sys.executable, CHIP, vectors, traces, fault], check=True)
            verdict = compare_foreign_run(run, traces)
            print(fault or "no fault", "->", verdict["message"] or "0 values differ")
            assert verdict["equal"] == (not fault)


if __name__ == "__main__":
    main()
