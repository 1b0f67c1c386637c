"""Networks of Norse, trained for a few steps, with each neuron that arlif takes over."""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

from support.other_libraries import norse

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # Norse 1.1 uses torch.jit.script
    from norse.torch.functional.reset import reset_subtract, reset_value

    from arlif.interop.norse import ARLIFCell, ARLIFParameters, to_arlif  # noqa: F401


def learned(alpha: float = 0.8, beta: float = 0.2) -> ARLIFParameters:
    return ARLIFParameters(
        v_th=torch.tensor(0.3),
        alpha_raw=nn.Parameter(torch.tensor(alpha)),
        beta_raw=nn.Parameter(torch.tensor(beta)),
    )


def box(reset: Callable[..., Tensor]) -> Callable[[], nn.Module]:
    constants = norse.torch.LIFBoxParameters(
        tau_mem_inv=torch.tensor(300.0), v_th=torch.tensor(0.2), reset_method=reset
    )
    return lambda: norse.torch.LIFBoxCell(constants)


NEURONS: dict[str, Callable[[], nn.Module]] = {
    "AR-LIF": lambda: ARLIFCell(learned()),
    "LIFBox to value": box(reset_value),
    "LIFBox subtract": box(reset_subtract),
}


def run(net: nn.Module, x: Tensor) -> Tensor:
    state, spikes = None, []
    for frame in x:
        out, state = net(frame, state)
        spikes.append(out)
    return torch.stack(spikes)


def trained(neuron: Callable[[], nn.Module], x: Tensor) -> nn.Module:
    torch.manual_seed(0)
    net = norse.torch.SequentialState(
        nn.Conv2d(2, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        neuron(),
        nn.AvgPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        neuron(),
        nn.Flatten(),
        nn.Linear(256, 10),
        neuron(),
    )
    with torch.no_grad():
        for layer in (net[0], net[4], net[7]):
            layer.weight.mul_(4)
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    for _ in range(6):
        loss = nn.functional.cross_entropy(run(net, x).sum(0), torch.arange(x.shape[1]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.eval()
