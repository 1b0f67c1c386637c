"""Networks of snnTorch whose forward holds the loop over time, as users write it."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

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
