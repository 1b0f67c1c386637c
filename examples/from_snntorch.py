"""A network written in snnTorch: the same spikes in arlif, then integers and their energy.

Run: python examples/from_snntorch.py
"""

import snntorch
import snntorch.utils
import torch
from torch import Tensor, nn

from arlif.interop.snntorch import to_arlif
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from hw_sim.comparison.agreement import agreement
from hw_sim.energy.counter import count
from hw_sim.engines.integer.fast import simulate

TIME_STEPS, SHAPE = 16, (2, 12, 12)


def snntorch_network() -> nn.Sequential:
    """What a user of snnTorch has: layers that are called once per time step."""
    return nn.Sequential(
        nn.Conv2d(2, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        snntorch.Leaky(beta=0.9, init_hidden=True, reset_mechanism="zero"),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 6 * 6, 10),
    )


def by_snntorch(net: nn.Module, frames: Tensor) -> Tensor:
    """Logits [T, N, 10], one call per time step."""
    snntorch.utils.reset(net)
    return torch.stack([net(frame) for frame in frames])


@torch.no_grad()
def main() -> None:
    """Convert, compare, quantize, count."""
    torch.manual_seed(0)
    events = (torch.rand(TIME_STEPS, 32, *SHAPE) < 0.2).float()  # [T, N, C, H, W]
    net = snntorch_network()
    by_snntorch(net, events)  # stands for training: gives batch norm its statistics
    net.eval()

    ours = to_arlif(net)
    want, got = by_snntorch(net, events), ours(events)
    print(f"float: the logits differ by at most {(want - got).abs().max():.1e}")

    linear = linearize(ours, SHAPE)
    source = calibrate_input(events.numpy(), SHAPE, linear.static)
    network = quantize(linear, source, Precision(weight_bits=8), TIME_STEPS)
    changed = agreement(ours, network, events)
    print(f"integers: {changed['decisions_changed']} of {changed['samples']} decisions changed")

    raw = source.encode(events.numpy())
    counts = count(network, raw, simulate(network, raw, TIME_STEPS), TIME_STEPS)
    operations = sum(layer.synaptic_operations.mean() for layer in counts.layers)
    print(f"{operations:,.0f} synaptic operations and {counts.updates:,} updates per inference")


if __name__ == "__main__":
    main()
