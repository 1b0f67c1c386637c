"""How good a network is: confusion matrix, loss, spike rates."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from arlif.data import DatasetInfo
from arlif.layers import evaluating
from arlif.neurons.modules import spikes_of
from arlif.neurons.recurrent import spiking_layers
from arlif.training.batches import Batches


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A network's answers on one split.

    confusion: int64 [classes, classes], samples by (label, decision).
    loss: mean cross-entropy of the logits averaged over time.
    rates: spikes per neuron and time step, by layer; of layers that ran.
    """

    confusion: NDArray[np.int64]
    loss: float
    rates: dict[str, float]

    @property
    def accuracy(self) -> float:
        """Share of samples decided as labelled, 0 to 1."""
        return float(self.confusion.trace() / self.confusion.sum())


def evaluate(
    net: nn.Module, info: DatasetInfo, batches: Batches, device: str = "cpu"
) -> Evaluation:
    """Run a network over all batches in eval mode; its training mode is restored.

    The decision is the argmax of the logits averaged over time. Neurons that draw random numbers
    draw the same ones every time; the caller's generator stays as it is.
    """
    total = evaluate_sums(net, info, batches, torch.device(device))
    return finish(total, tuple(spiking_layers(net)))


def evaluate_sums(
    net: nn.Module, info: DatasetInfo, batches: Batches, device: torch.device
) -> Tensor:
    """What `finish` needs, as one float64 vector that processes may add up."""
    classes = len(info.classes)
    confusion = torch.zeros(classes, classes, dtype=torch.float64, device=device)
    sums = torch.zeros(2 + 2 * len(spiking_layers(net)), dtype=torch.float64, device=device)
    with _seeded(device), evaluating(net), torch.inference_mode(), _counted(net, sums[2:]):
        for raw, labels in batches:
            labels = labels.to(device)
            logits = net(info.network_input(raw.to(device))).mean(0)
            confusion.view(-1).index_add_(
                0,
                labels * classes + logits.argmax(-1),
                torch.ones_like(labels, dtype=torch.float64),
            )
            sums[0] += functional.cross_entropy(logits, labels, reduction="sum").double()
            sums[1] += len(labels)
    return torch.cat([confusion.view(-1), sums])


def finish(total: Tensor, layer_names: tuple[str, ...]) -> Evaluation:
    """An Evaluation from evaluate_sums, added up over processes."""
    total = total.cpu()
    counts = total.numel() - 2 - 2 * len(layer_names)
    classes = round(counts**0.5)
    loss, samples, *spikes = total[counts:].tolist()
    counted = zip(layer_names, spikes[::2], spikes[1::2], strict=True)
    rates = {name: fired / steps for name, fired, steps in counted if steps}
    confusion = total[:counts].view(classes, classes).numpy().astype(np.int64)
    return Evaluation(confusion, loss / samples, rates)


@contextmanager
def _seeded(device: torch.device) -> Iterator[None]:
    """While open, the CPU's and the device's generators start at 0; then they are as before."""
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(gpus):
        torch.default_generator.manual_seed(0)  # torch.manual_seed would seed every GPU
        for gpu in gpus:
            with torch.cuda.device(gpu):
                torch.cuda.manual_seed(0)
        yield


@contextmanager
def _counted(net: nn.Module, sums: Tensor) -> Iterator[None]:
    """While open, adds each neuron layer's spikes and neuron steps to `sums`, in pairs."""

    def count(index: int, answer: Any) -> None:
        spikes = spikes_of(answer)
        sums[2 * index] += spikes.sum(dtype=torch.float64)
        sums[2 * index + 1] += spikes.numel()

    handles = [
        layer.register_forward_hook(lambda _, __, answer, index=i: count(index, answer))
        for i, layer in enumerate(spiking_layers(net).values())
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
