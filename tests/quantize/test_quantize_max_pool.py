"""Max pooling of spikes is an OR: what torch trains is what every engine and file does."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from arlif import layers
from arlif.base.errors import ArlifError, LoweringError, NetworkError
from arlif.core.maps import Dense, Window
from arlif.core.network import INPUT, READOUT, Input, Projection, QuantizedNetwork, Readout
from arlif.neurons import ARLIF, LIF
from arlif.quantize import (
    Precision,
    QatNetwork,
    calibrate_input,
    linearize,
    quantize,
    quantize_for_stock_lava,
)
from arlif.quantize.lowering import check
from arlif.quantize.reach import reach
from export.nir import write_nir_lif
from export.onnx import write_onnx_float
from hw_sim.energy.counter import OperationCounter
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer.reference import simulate

T, N, SHAPE = 4, 5, (2, 9, 8)


def net(pool: nn.Module, width: int, neuron: nn.Module | None = None) -> nn.Module:
    torch.manual_seed(0)
    conv = layers.Conv2d(2, 6, 3, padding=1)
    return nn.Sequential(
        conv, neuron or LIF(v_threshold=0.5), pool, layers.Flatten(), layers.Linear(width, 5)
    ).eval()


def events(p: float = 0.3) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return (torch.rand(T, N, *SHAPE, generator=generator) < p).float()


POOLS = [
    layers.MaxPool2d(2),
    layers.MaxPool2d(3, 2, 1),
    layers.MaxPool2d((2, 3), (1, 2), (1, 1), (2, 1)),
    nn.Sequential(layers.MaxPool2d(2, 1), layers.MaxPool2d(3, 3)),
    nn.Sequential(layers.MaxPool2d(2), layers.AvgPool2d(2)),
    nn.Sequential(layers.Scale(0.5), layers.MaxPool2d(2)),
]


def built(pool: nn.Module) -> nn.Module:
    width = pool(torch.zeros(1, 1, 6, *SHAPE[1:])).flatten(2).shape[2]
    return net(pool, width)


@pytest.mark.parametrize("pool", POOLS)
def test_the_linearized_network_equals_torch(pool: nn.Module) -> None:
    from support.linearized_oracle import run

    module, x = built(pool), events()
    torch.set_grad_enabled(False)
    try:
        logits, spikes = run(linearize(module, SHAPE), x[:3, :2])
        np.testing.assert_allclose(logits, module(x[:3, :2]), atol=1e-5)
    finally:
        torch.set_grad_enabled(True)
    assert 0.02 < spikes["1"].mean() < 0.9


@pytest.mark.parametrize("pool", POOLS)
def test_integers_lose_little_and_training_with_integers_loses_nothing(pool: nn.Module) -> None:
    module, x = built(pool), events()
    linear = linearize(module, SHAPE)
    source = calibrate_input(x.numpy(), SHAPE, linear.static)
    network = quantize(linear, source, Precision(), T)
    raw = network.input.encode(x.numpy())
    want = simulate(network, raw, T)
    logits = module(x).sum(0).detach().numpy()
    assert np.abs(want.readout * network.readout.scale - logits).mean() < 0.2 * logits.std()
    qat = QatNetwork(linear, source, Precision(), T)
    readout, _ = qat.run(qat.quantized(), torch.from_numpy(raw).float())
    np.testing.assert_array_equal(readout.detach().sum(0).numpy(), want.readout)
    readout.sum().backward()
    assert all(bool(weight.grad.abs().sum() > 0) for weight in qat.currents["of_1"].weights)
    assert reach(linear, x.numpy(), T)["1"].rate > 0.02


@pytest.mark.parametrize("pool", POOLS)
def test_the_float_graph_equals_torch(pool: nn.Module, tmp_path: Path) -> None:
    module, x = built(pool), events()
    write_onnx_float(module, tmp_path / "net.onnx", SHAPE)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    (got,) = session.run(["logits"], {"input": x.numpy()})
    np.testing.assert_allclose(got, module(x).detach(), rtol=1e-5, atol=1e-5)


def test_a_binary_input_is_pooled() -> None:
    module = nn.Sequential(
        layers.MaxPool2d(2), layers.Flatten(), layers.Linear(32, 6), LIF(), layers.Linear(6, 3)
    )
    linear, x = linearize(module, SHAPE), events()
    assert check(module, SHAPE)[1] == ()
    assert linear.binary_input
    source = calibrate_input(2 * x.numpy(), SHAPE, linear.static, linear.binary_input)
    assert (source.low, source.high, source.scale) == (0, 1, 2.0)
    network = quantize(linear, source, Precision(), T)
    got = simulate(network, source.encode(2 * x.numpy()), T)
    (pooled,) = network.ors
    want = module[0](x).sum(0).numpy()
    np.testing.assert_array_equal(got.counts[pooled], want)
    with pytest.raises(ArlifError, match="max-pools its input"):
        calibrate_input(x.numpy() * np.arange(1, 6)[:, None, None, None], SHAPE, False, True)
    with pytest.raises(LoweringError, match="gives 0 to 127: make it with calibrate_input"):
        quantize(linear, calibrate_input(x.numpy(), SHAPE, False), Precision(), T)


def test_a_float_simulation_counts_ors_too() -> None:
    module, x = built(POOLS[1]), events()
    linear = linearize(module, SHAPE)
    source = calibrate_input(x.numpy(), SHAPE, linear.static)
    network = quantize(linear, source, Precision(), T)
    floating = simulate_float(module, x, ors=network.ors)
    (name,) = network.ors
    want = module[2](module[1](module[0](x))).sum(0)
    np.testing.assert_array_equal(floating.counts[name], want.detach().numpy())
    raw = source.encode(x.numpy())
    counts = OperationCounter(network).count(raw, floating, T)
    assert counts.layers[1].incoming[0].events.tolist() == want.flatten(1).sum(1).tolist()
    with pytest.raises(ArlifError, match="of every OR"):
        OperationCounter(network).count(raw, simulate_float(module, x), T)


WRONG = {
    "currents": nn.Sequential(layers.Conv2d(2, 4, 3), layers.MaxPool2d(2), LIF()),
    "put it in front of the average": nn.Sequential(
        LIF(), layers.AvgPool2d(2), layers.MaxPool2d(2)
    ),
    "below 0": nn.Sequential(LIF(), layers.Scale(-1.0), layers.MaxPool2d(2)),
    "membrane potentials": nn.Sequential(LIF(), layers.Integrator(0.5), layers.MaxPool2d(2)),
    "return_indices": nn.Sequential(LIF(), layers.MaxPool2d(2, return_indices=True)),
    "ceil_mode": nn.Sequential(LIF(), layers.MaxPool2d(2, ceil_mode=True)),
    "-inf": nn.Sequential(LIF(), layers.MaxPool2d(2, 1, 1, (3, 1)), layers.MaxPool2d(2, 1, 1, 9)),
    "needs \\(C, H, W\\)": nn.Sequential(LIF(), layers.Flatten(), layers.MaxPool2d(2)),
}


@pytest.mark.parametrize("reason", WRONG)
def test_what_is_no_or_is_refused_by_layer_and_reason(reason: str) -> None:
    with pytest.raises(LoweringError, match=f"MaxPool2d.*{reason}|{reason}.*MaxPool2d"):
        linearize(WRONG[reason], SHAPE)


def test_what_lies_behind_a_refused_pool_is_judged_too() -> None:
    """As in snnTorch's tutorials, each neuron behind a pool of currents."""
    first, second = (
        nn.Sequential(layers.Conv2d(n, 4, 1), layers.MaxPool2d(2), LIF()) for n in (2, 4)
    )
    with pytest.raises(LoweringError) as refusal:
        linearize(nn.Sequential(first, second, layers.Flatten(), layers.Linear(9, 3)), SHAPE)
    assert str(refusal.value).count("max pooling of currents") == 2
    assert "3 (Linear)" in str(refusal.value)


def test_ceil_mode_that_changes_nothing_is_taken() -> None:
    assert check(net(layers.MaxPool2d((3, 2), ceil_mode=True), 72), SHAPE)[1] == ()


def test_files_without_an_or_refuse_it(tmp_path: Path) -> None:
    module = net(layers.MaxPool2d(2), 96, LIF(v_threshold=0.5, reset="hard"))
    with pytest.raises(LoweringError, match=r"NIR has no max pooling, and 1 is pooled so"):
        write_nir_lif(module, tmp_path / "lif.nir", SHAPE)
    linear = linearize(module, SHAPE)
    with pytest.raises(LoweringError, match=r"readout: Lava has no OR"):
        quantize_for_stock_lava(linear, calibrate_input(events().numpy(), SHAPE, False), T)


def test_only_spikes_have_an_or() -> None:
    def network(high: int, *pools: Window) -> QuantizedNetwork:
        into = Projection(INPUT, READOUT, (Dense(np.ones((1, 4), np.int8)),), pools=pools)
        return QuantizedNetwork(
            Input((1, 4, 4), 1.0, 0, high), (), (into,), Readout(np.zeros(1, np.int32)), 1
        )

    pool = Window((2, 2), (2, 2))
    assert simulate(network(1, pool), np.eye(4, dtype=np.int8)[None, None], 1).readout == 2
    with pytest.raises(NetworkError, match="input sends 0 to 2; pool behind a neuron"):
        network(2, pool)
    with pytest.raises(NetworkError, match="does not fit"):
        network(1, pool, Window((3, 3)))


def test_it_trains() -> None:
    module = net(layers.MaxPool2d(2), 96, ARLIF())
    module(events()).sum().backward()
    assert bool(module[0].weight.grad.abs().sum() > 0)
