"""Networks of Norse as its tutorials write them."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax, max_pool2d, relu

from support.tutorial_forms import FLAT, FRAME, Form, T, Written

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of optional parts, and Norse's of torch.jit.script
    import norse.torch as norse
    from norse.torch.functional.leaky_integrator import LIState, li_feed_forward_step


def mnist(end: Callable[[Tensor], Tensor], why: str = "") -> Form:
    """Norse's MNIST tutorial: `end` of the voltages."""

    def forward(m: Any, x: Tensor) -> Tensor:
        s1 = so = None
        voltages = torch.zeros(T, x.shape[1], 4)
        for ts in range(T):
            z, s1 = m.lif(10 * m.fc1(x[ts]), s1)
            v, so = m.out(m.fc2(relu(z)), so)
            voltages[ts, :, :] = v
        return end(voltages)

    def make() -> nn.Module:
        return Written(
            forward,
            fc1=nn.Linear(16, 12), lif=norse.LIFCell(),
            fc2=nn.Linear(12, 4, bias=False), out=norse.LICell(),
        )  # fmt: skip

    return Form(make, FLAT, T, why)


def convolutional(m: Any, x: Tensor) -> Tensor:
    s0 = s1 = so = None
    voltages = []
    for ts in range(len(x)):
        z, s0 = m.lif0(m.conv1(x[ts]), s0)
        z, s1 = m.lif1(10 * m.conv2(max_pool2d(z, 2, 2)), s1)
        v, so = m.out(z.view(-1, 16), so)
        voltages.append(v)
    return torch.stack(voltages).amax(0)


def integrated(m: Any, x: Tensor) -> Tensor:
    s, state, voltages = None, LIState(*(torch.zeros(x.shape[1], 4) for _ in "vi")), []
    for ts in range(T):
        z, s = m.lif(m.fc(x[ts]), s)
        v, state = li_feed_forward_step(z, state)
        voltages.append(v)
    return torch.stack(voltages)


NORSE: dict[str, Form] = {
    "torch.max": mnist(lambda v: torch.max(v, 0)[0]),
    "the last": mnist(lambda v: v[-1]),
    "log_softmax": mnist(
        lambda v: log_softmax(torch.max(v, 0)[0], dim=1), "log_softmax .*; return the logits"
    ),
    "convolutions": Form(
        lambda: Written(
            convolutional,
            conv1=nn.Conv2d(1, 4, 3), lif0=norse.LIFCell(), conv2=nn.Conv2d(4, 4, 2),
            lif1=norse.LIFCell(), out=norse.LILinearCell(16, 3),
        ),
        FRAME, T,
    ),
    "li_feed_forward_step": Form(
        lambda: Written(integrated, fc=nn.Linear(16, 4), lif=norse.LIFCell()), FLAT, T,
        "li_feed_forward_step has no counterpart; call the module of the library",
    ),
    "SequentialState": Form(
        lambda: norse.SequentialState(
            norse.Lift(nn.Linear(16, 12)), norse.LIF(), norse.Lift(nn.Linear(12, 3)), norse.LI()
        ),
        FLAT, T,
    ),
}  # fmt: skip
