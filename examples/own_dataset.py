"""A network from elsewhere and data of your own: float, integers, 2-bit weights, training on them.

Run: python examples/own_dataset.py
On the command line, in the folder of this file:
arlif import net.nir RUN --time-steps 12 --calibrate own_dataset.py:recordings
arlif evaluate RUN --inputs own_dataset.py:recordings
"""

import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import arlif
from arlif import layers
from arlif.data.own import OwnData
from export.nir import write_nir_lif
from hw_sim.pipeline import (
    Selection,
    compare_run,
    evaluate_run,
    import_run,
    quantize_run,
    simulate_run,
)

TIME_STEPS, CHANNELS, CLASSES = 12, 16, 4


def recordings() -> TensorDataset:
    """Pairs (recording, class): spikes [T, 16]; four channels are somewhat busier than others."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(160) % CLASSES
    busy = torch.arange(CHANNELS) // 4 == labels[:, None]
    rate = torch.where(busy, 0.45, 0.2)[:, None, :]
    spikes = torch.rand(len(labels), TIME_STEPS, CHANNELS, generator=generator) < rate
    return TensorDataset(spikes.float(), labels)


def train() -> nn.Module:
    """Stands for the tool that the network comes from: LIF neurons, trained in float."""
    torch.manual_seed(0)
    net = nn.Sequential(
        layers.Linear(CHANNELS, 24), arlif.LIF(0.9, reset="hard"), layers.Linear(24, CLASSES)
    )
    inputs, labels = recordings().tensors
    optimizer = torch.optim.Adam(net.parameters(), 2e-2)
    for _ in range(30):
        logits: Tensor = net(inputs.transpose(0, 1)).mean(0)
        optimizer.zero_grad()
        nn.functional.cross_entropy(logits, labels).backward()
        optimizer.step()
    return net.eval()


def main() -> None:
    """Import a NIR graph, evaluate it, quantize it with training on own data, simulate, compare."""
    data = OwnData(Path(f"{__file__}:recordings"))
    with tempfile.TemporaryDirectory() as name:
        run, graph = Path(name, "run"), Path(name, "net.nir")
        write_nir_lif(train(), graph, (CHANNELS,))

        imported = import_run(graph, run, time_steps=TIME_STEPS, calibrate=data.inputs)
        print(f"imported: {imported['neurons']} neurons, T = {imported['time_steps']}")
        for engine in ("float", "integer"):
            found = evaluate_run(run, engine, own=data)
            print(f"{engine}: {found['accuracy']:.1%} of {found['samples']} recordings")

        for epochs in (0, 5):
            few = quantize_run(run, weight_bits=2, qat=epochs, own=data)
            print(
                f"2-bit weights, {epochs} epochs of training: {few['accuracy']:.1%} of "
                f"{few['samples']} {few['judged_on']} recordings"
            )

        for engine in ("float", "integer"):
            simulate_run(run, engine, Selection(inputs=data.inputs))
        shares = compare_run(run, "float", "integer")
        changed = shares["spikes_different"] / shares["spikes_compared"]
        decisions = f"{shares['decisions_different']} of {shares['samples']} decisions"
        print(f"float and integers: {changed:.1%} of spikes and {decisions} differ")


if __name__ == "__main__":
    main()
