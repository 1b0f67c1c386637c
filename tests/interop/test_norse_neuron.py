"""arlif.interop.norse behaves like Norse's own neurons, and its networks convert exactly."""

import warnings

import numpy as np
import pytest
import torch
from support.norse_networks import NEURONS, learned, run, trained
from support.other_libraries import events, norse
from support.simulations import as_integers
from torch import nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # Norse 1.1 uses torch.jit.script
    from norse.torch.functional.reset import reset_subtract

    import arlif.interop.norse
from arlif.base.errors import LoweringError
from arlif.interop.norse import ARLIFCell, ARLIFFeedForwardState, ARLIFParameters
from arlif.neurons import ARLIF


@pytest.mark.parametrize("kind", NEURONS)
def test_trained_networks_convert_exactly(kind: str) -> None:
    x = events(steps=16)
    net = trained(NEURONS[kind], x)
    with torch.no_grad():
        want = run(net, x)
        ours = arlif.interop.norse.to_arlif(net)
        got = ours(x)
    assert want.mean() > 1e-3
    assert torch.equal(want, got)
    _, spikes = as_integers(ours, x, "8")
    assert np.mean(spikes != want.numpy().astype(bool)) < 0.2


def test_a_threshold_of_zero_converts_exactly() -> None:
    constants = norse.torch.LIFBoxParameters(v_th=torch.tensor(0.0), reset_method=reset_subtract)
    net = norse.torch.SequentialState(norse.torch.LIFBoxCell(constants))
    x = torch.randn(12, 3, 50)
    want = run(net, x)
    assert 0 < want.mean() < 1
    assert torch.equal(arlif.interop.norse.to_arlif(net)(x), want)


def test_whole_sequences_with_lift() -> None:
    torch.manual_seed(0)
    net = norse.torch.SequentialState(
        norse.torch.Lift(nn.Conv2d(2, 4, 3)),
        arlif.interop.norse.ARLIF(learned()),
        nn.Flatten(2),
        nn.Linear(144, 5),
        arlif.interop.norse.ARLIF(record_states=True),
    )
    x = events(steps=6)
    with torch.no_grad():
        want, states = net(x)
        assert torch.equal(arlif.interop.norse.to_arlif(net)(x), want)
    assert isinstance(states[4], ARLIFFeedForwardState)
    assert states[4].v.shape == want.shape  # a state for every time step


def test_cell_and_layer_equal_the_native_neuron() -> None:
    x = torch.randn(12, 3, 5)
    want, state = ARLIF()(x, return_state=True)
    layer, last = arlif.interop.norse.ARLIF()(x)
    assert torch.equal(layer, want)
    assert torch.equal(run(ARLIFCell(), x), want)
    assert torch.allclose(last.v, state.u, atol=1e-5)
    assert torch.allclose(last.r, state.r, atol=1e-5)


def test_a_state_continues() -> None:
    x, neuron = torch.randn(10, 3, 5), arlif.interop.norse.ARLIF()
    whole, _ = neuron(x)
    first, state = neuron(x[:4])
    second, _ = neuron(x[4:], state)
    assert torch.equal(torch.cat([first, second]), whole)


def test_the_decay_follows_tau_and_dt() -> None:
    slow = ARLIFParameters(tau_mem_inv=torch.tensor(100.0), v_th=torch.tensor(10.0))
    cell = ARLIFCell(slow, dt=0.002)
    _, state = cell(torch.ones(1, 1))
    _, state = cell(torch.zeros(1, 1), state)
    assert state.v == pytest.approx(0.8)


def test_learned_constants_are_parameters() -> None:
    cell = ARLIFCell(learned())
    assert {name for name, _ in cell.named_parameters()} == {"alpha_raw", "beta_raw"}
    state = None
    for _ in range(6):
        _, state = cell(torch.full((2, 3), 0.9), state)
    state.v.sum().backward()
    assert all(p.grad is not None and p.grad != 0 for p in cell.parameters())
    assert not list(ARLIFCell().parameters())


def test_parameters_are_a_state_tuple() -> None:
    assert ARLIFParameters().int().v_th.dtype == torch.int32


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (norse.torch.LIFRefracCell(), r"0 \(LIFRefracCell\): .*use LIF"),
        (norse.torch.LICell(norse.torch.LIParameters(v_leak=torch.ones(()))), "v_leak"),
        (norse.torch.LIFBoxCell(dt=1.0), "dt"),
        (norse.torch.LIFBoxCell(norse.torch.LIFBoxParameters(reset_method=max)), "reset method"),
    ],
)
def test_what_does_not_convert_is_named(layer: nn.Module, message: str) -> None:
    with pytest.raises(LoweringError, match=message):
        arlif.interop.norse.to_arlif(norse.torch.SequentialState(layer))
