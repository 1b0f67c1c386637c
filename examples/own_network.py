"""A residual network of your own, trained by a loop of your own on data of your own.

Then the same network in integers: its accuracy, and the same spikes on the integer engine and Lava.
Run: python examples/own_network.py
"""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import arlif
from arlif import layers
from arlif.neurons import SpikingNeuron
from arlif.quantize import Precision, calibrate_input, linearize, quantize
from arlif.training.loss import tet_loss
from hw_sim.comparison.divergence import compare
from hw_sim.engines.integer.fast import simulate
from hw_sim.engines.lava import simulate as simulate_lava
from hw_sim.engines.simulation import Record

TIME_STEPS, CLASSES, EPOCHS = 4, 10, 4


class Residual(nn.Module):
    """A stem, one pre-activation block with a shortcut, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            layers.Conv2d(1, 8, 3, padding=1), layers.BatchNorm2d(8), layers.Repeat(TIME_STEPS)
        )
        self.first = arlif.ARLIF()
        self.conv = layers.Conv2d(8, 8, 3, padding=1)
        self.norm = layers.BatchNorm2d(8)
        self.second = arlif.ARLIF()
        self.head = nn.Sequential(layers.AvgPool2d(2), layers.Flatten(), layers.Linear(128, 10))

    def forward(self, images: Tensor) -> Tensor:
        """Logits [T, N, 10] of images [1, N, 1, 8, 8]."""
        spikes = self.first(self.stem(images))
        return self.head(self.second(self.norm(self.conv(spikes)) + spikes))


def own_data() -> tuple[TensorDataset, TensorDataset]:
    """Pairs (image [1, 8, 8] of 0 to 1, class), to train on and to test on."""
    pixels, labels = load_digits(return_X_y=True)
    parts = train_test_split(pixels, labels, test_size=0.25, random_state=0, stratify=labels)
    seen, held, seen_labels, held_labels = (torch.from_numpy(part) for part in parts)
    return (
        TensorDataset(seen.float().view(-1, 1, 8, 8) / 16, seen_labels),
        TensorDataset(held.float().view(-1, 1, 8, 8) / 16, held_labels),
    )


def train(net: nn.Module, data: TensorDataset) -> None:
    """The loop: a loss at every time step, AdamW, a rate that falls as a cosine."""
    batches = DataLoader(data, batch_size=64, shuffle=True, drop_last=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * len(batches))
    for epoch in range(EPOCHS):
        for images, labels in batches:
            logits = net(images[None])  # time first: one frame, which Repeat shows T times
            wanted = nn.functional.one_hot(labels, CLASSES).float()
            loss = tet_loss(logits, wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            for module in net.modules():
                if isinstance(module, SpikingNeuron):
                    module.keep_bounds()  # else what leaves its bounds learns no more
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}")


def main() -> None:
    """Train, quantize, simulate twice, compare."""
    torch.manual_seed(0)
    seen, held = own_data()
    net = Residual()
    train(net, seen)
    net.eval()
    images, labels = held.tensors
    with torch.no_grad():
        decisions = net(images[None]).mean(0).argmax(-1)
    print(f"float: {(decisions == labels).float().mean():.1%} of {len(labels)} digits")

    linear = linearize(net, input_shape=(1, 8, 8))
    source = calibrate_input(seen.tensors[0][None].numpy(), linear.input_shape, linear.static)
    network = quantize(linear, source, Precision(weight_bits=8), TIME_STEPS)
    raw = source.encode(images.numpy())
    integers = simulate(network, raw, TIME_STEPS)
    print(f"integers: {integers.accuracy(labels.numpy()):.1%}, 8-bit weights")

    record = Record.everything(network)
    some = simulate(network, raw[:16], TIME_STEPS, record)
    lava = simulate_lava(network, raw[:16], TIME_STEPS, record)
    verdict = compare(network, some, lava)
    print(f"Lava, 16 digits: {verdict.spikes_different} of {verdict.spikes_compared} spikes differ")
    assert verdict.equal, verdict.first


if __name__ == "__main__":
    main()
