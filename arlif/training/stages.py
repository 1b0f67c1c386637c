"""A network as a stage of its training sees it: fewer time steps, or no neurons at all."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from arlif.layers import Repeat
from arlif.neurons import SpikingNeuron
from arlif.training.schedule import Stage


class Clipped(nn.Module):
    """Stands in for neurons: currents clipped to [0, 1], about the rates of neurons."""

    def forward(self, x: Tensor) -> Tensor:
        """x [T, N, ...], clipped."""
        return x.clamp(0, 1)


@contextmanager
def staged(net: nn.Module, stage: Stage | None) -> Iterator[None]:
    """While open, the network is the stage's; its parameters and their names stay.

    A backward pass may follow after it is closed.
    """
    if stage is None:
        yield
        return
    repeats = [
        (module, module.time_steps) for module in net.modules() if isinstance(module, Repeat)
    ]
    neurons = [
        (parent, name, child)
        for parent in net.modules()
        for name, child in parent.named_children()
        if stage.clipped and isinstance(child, SpikingNeuron)
    ]
    for repeat, _ in repeats:
        repeat.time_steps = stage.time_steps
    for parent, name, _ in neurons:
        setattr(parent, name, Clipped())
    try:
        yield
    finally:
        for repeat, time_steps in repeats:
            repeat.time_steps = time_steps
        for parent, name, neuron in neurons:
            setattr(parent, name, neuron)
