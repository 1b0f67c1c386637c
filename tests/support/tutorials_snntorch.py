"""Networks of snnTorch as its tutorials 5 to 7 write them."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from support.tutorial_forms import FLAT, FRAME, Form, T, Written

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of optional parts, and Norse's of torch.jit.script
    import snntorch as snn
    from snntorch import utils


def leaky(end: Callable[[Tensor, Tensor], Any], reset: str = "none") -> Form:
    """Tutorial 5: `end` of the spikes and potentials that were recorded."""

    def forward(m: Any, x: Tensor) -> Any:
        mem1, mem2 = m.lif1.init_leaky(), m.lif2.init_leaky()
        spk_rec, mem_rec = [], []
        for _ in range(T):
            spk1, mem1 = m.lif1(m.fc1(x), mem1)
            spk2, mem2 = m.lif2(m.fc2(spk1), mem2)
            spk_rec.append(spk2)
            mem_rec.append(mem2)
        return end(torch.stack(spk_rec, dim=0), torch.stack(mem_rec, dim=0))

    def make() -> nn.Module:
        return Written(
            forward,
            fc1=nn.Linear(16, 12), lif1=snn.Leaky(beta=0.95),
            fc2=nn.Linear(12, 4), lif2=snn.Leaky(beta=0.95, reset_mechanism=reset),
        )  # fmt: skip

    return Form(make, FLAT, 1)


def refused(form: Form, why: str) -> Form:
    return Form(form.make, form.shape, form.frames, why)


def pass_forward(m: Any, data: Tensor) -> Tensor:
    utils.reset(m.net)
    return torch.stack([m.net(data[step])[0] for step in range(data.size(0))])


SNNTORCH: dict[str, Form] = {
    "spk_rec, mem_rec": leaky(lambda spk, mem: (spk, mem), "subtract"),
    "spk_rec.sum": leaky(lambda spk, mem: spk.sum(dim=0), "subtract"),
    "mem_rec": leaky(lambda spk, mem: mem),
    "mem_rec[-1]": leaky(lambda spk, mem: mem[-1]),
    "mem_rec.max": leaky(lambda spk, mem: mem.max(0)[0]),
    "mem_rec.mean": leaky(lambda spk, mem: mem.mean(0)),
    "mem_rec that resets": refused(
        leaky(lambda spk, mem: mem[-1], "subtract"), "its membrane potential is read, which spikes"
    ),
    "the last spikes": refused(leaky(lambda spk, mem: spk[-1]), "it returns one time step of many"),
    "utils.reset": Form(
        lambda: Written(
            pass_forward,
            net=nn.Sequential(
                nn.Conv2d(1, 4, 3), nn.AvgPool2d(2), snn.Leaky(beta=0.5, init_hidden=True),
                nn.Flatten(), nn.Linear(36, 3), snn.Leaky(beta=0.5, init_hidden=True, output=True),
            ),
        ),
        FRAME, T,
    ),
}  # fmt: skip
