"""Networks of snnTorch with each neuron that arlif takes over, and a short training of them."""

from collections.abc import Callable

import snntorch
import snntorch.surrogate
import torch
from torch import Tensor, nn

import arlif.interop.snntorch


def first(out: Tensor | tuple[Tensor, ...]) -> Tensor:
    return out[0] if isinstance(out, tuple) else out


def run(net: nn.Module, x: Tensor) -> Tensor:
    """Spikes over time of a network with hidden states."""
    arlif.interop.snntorch.reset(net)
    return torch.stack([first(net(frame)) for frame in x])


def network(neuron: Callable[..., nn.Module]) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        neuron(),
        nn.AvgPool2d(2),
        nn.Dropout(0.1),
        nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), neuron()),
        nn.Flatten(),
        nn.Linear(256, 10),
        neuron(output=True),
    )


def train(net: nn.Module, x: Tensor, steps: int = 6) -> None:
    optimizer = torch.optim.Adam(net.parameters(), 2e-2)
    classes = torch.arange(x.shape[1]) % 10
    for _ in range(steps):
        loss = nn.functional.cross_entropy(run(net, x).sum(0), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def leaky(beta: float, reset: str, delay: bool) -> Callable[..., nn.Module]:
    def build(output: bool = False) -> nn.Module:
        return snntorch.Leaky(
            beta=beta,
            threshold=0.7,
            init_hidden=True,
            output=output,
            learn_beta=True,
            learn_threshold=True,
            reset_mechanism=reset,
            reset_delay=delay,
        )

    return build


def adaptive(output: bool = False) -> nn.Module:
    grad = snntorch.surrogate.fast_sigmoid()
    return arlif.interop.snntorch.ARLIF(
        threshold=0.3, alpha=0.8, beta=0.2, spike_grad=grad, init_hidden=True, output=output
    )


CASES = {
    "AR-LIF": adaptive,
    **{
        f"Leaky {beta} {reset} {'late' if delay else 'at once'}": leaky(beta, reset, delay)
        for beta in (0.5, 0.9)
        for reset in ("zero", "subtract")
        for delay in (True, False)
    },
}
