"""Networks of snnTorch whose forward holds the loop over time, as users write it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from arlif.core.network import Input
from arlif.interop.recognise import to_arlif
from arlif.quantize import Precision, linearize
from hw_sim.comparison.fitting import fit
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record
from support import norse_loops
from support.other_libraries import snntorch

RECURRENT = (snntorch.RLeaky, snntorch.RSynaptic)


class Loop(nn.Module):
    """Linear layers and neurons; `returns` says what of the last neurons, each one of RETURNED.

    frames: T where one frame is shown at every step; None where x is [T, N, ...].
    """

    def __init__(self, neurons: list[nn.Module], sizes: list[int], frames: int | None) -> None:
        super().__init__()
        self.fcs = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.lifs, self.frames, self.returns = nn.ModuleList(neurons), frames, "spikes"

    def forward(self, x: Tensor) -> Any:
        states: list[Any] = [lif.reset_mem() for lif in self.lifs]
        states = [state if isinstance(state, tuple) else (state,) for state in states]
        spikes, potentials = [], []
        buffer = torch.zeros(self.frames or len(x), x.shape[-2], self.fcs[-1].out_features)
        for step in range(self.frames or len(x)):
            value = x if self.frames else x[step]
            for number, (fc, lif) in enumerate(zip(self.fcs, self.lifs, strict=True)):
                after = lif(fc(value), *states[number])
                value = after[0]
                states[number] = after if isinstance(lif, RECURRENT) else after[1:]
            spikes.append(value)
            potentials.append(states[-1][-1])
            buffer[step] = value
        match self.returns:
            case "spikes":
                return torch.stack(spikes)
            case "both":
                return torch.stack(spikes), torch.stack(potentials)
            case "potentials":
                return torch.stack(potentials)
            case "sum":
                return sum(spikes)
            case "mean":
                return torch.stack(spikes).mean(dim=0)
            case "batch first":
                return torch.stack(spikes, dim=1)
            case "buffer":
                return buffer
        return spikes


RETURNED = ("spikes", "both", "sum", "mean", "batch first", "buffer", "list")


def as_time_first(returned: Any, how: str) -> Tensor:
    """What a Loop returned, [T, N, features], or [N, features] over time."""
    if how == "list":
        return torch.stack(returned)
    found: Tensor = returned[0] if how == "both" else returned
    return found.transpose(0, 1) if how == "batch first" else found


def layered(kind: str, **own: Any) -> Loop:
    """A loop of three layers, a layer of each reset, with constants for each neuron."""
    sizes, lifs = [6, 8, 8, 5], []
    for features, reset in zip(sizes[1:], ("zero", "none", "subtract"), strict=True):
        known: dict[str, Any] = {"threshold": torch.empty(features).uniform_(0.5, 1.5)}
        if kind != "Lapicque":
            known["beta"] = torch.empty(features).uniform_(0.3, 0.95)
        if kind.endswith("Synaptic"):
            known["alpha"] = torch.empty(features).uniform_(0.3, 0.9)
        known |= {"linear_features": features} if own == {"dense": True} else own
        lifs.append(getattr(snntorch, kind)(**known, reset_mechanism=reset))
    network = Loop(lifs, sizes, None)
    with torch.no_grad():
        for fc in network.fcs:
            fc.weight.mul_(3)
    return network


def cases() -> Iterator[tuple[str, str, nn.Module]]:
    """Library, name and network of every row that docs/interop.md measures of loops."""
    one = {"all_to_all": False, "V": 0.3}
    for name, kind, own in (
        ("Leaky", "Leaky", {}),
        ("Lapicque", "Lapicque", {"R": 4.0, "C": 1.0}),
        ("Synaptic", "Synaptic", {}),
        ("RLeaky, dense", "RLeaky", {"dense": True}),
        ("RLeaky, one to one", "RLeaky", one),
        ("RSynaptic, dense", "RSynaptic", {"dense": True}),
        ("RSynaptic, one to one", "RSynaptic", one),
    ):
        torch.manual_seed(0)
        yield "snnTorch", f"loop of {name}", layered(kind, **own)
    for kind in norse_loops.CELLS:
        torch.manual_seed(1)
        yield (
            "Norse",
            f"loop of {kind}",
            norse_loops.Loop(norse_loops.network(kind, [6, 8, 8, 5], True)),
        )


IN_INTEGERS = ("loop of Synaptic", "loop of RLeaky, dense", "loop of LIFRecurrentCell")
"""The rows that are measured in integers too."""


def measured() -> Iterator[tuple[str, str, str, int, int]]:
    """Library, target, network; how many of the last layer's spikes differ, of how many."""
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(50, 40, 6, generator=generator) < 0.5).float()
    for library, name, network in cases():
        with torch.no_grad():
            want = network(x)
            ours = to_arlif(network, x)
            assert 0.02 < want.mean() < 0.9, name
            yield library, "arlif, floats", name, int((ours(x) != want).sum()), want.numel()
        if name not in IN_INTEGERS:
            continue
        linear, source = linearize(ours, (6,)), Input((6,), 1.0, 0, 127, static=False)
        made = fit(ours, linear, source, x[:, :16], len(x), Precision(), True).network
        last = linear.populations[-1].name
        record = reference.simulate(made, made.input.encode(x.numpy()), len(x), Record((last,)))
        wrong = record.traces[last].spikes != want.numpy().astype(bool)
        yield library, "arlif, integers", name, int(wrong.sum()), want.numel()
