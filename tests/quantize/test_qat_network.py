"""The forward pass of quantization-aware training is the integer network, spike for spike."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.strategies import inputs_for
from support.strategies_real import linearized_networks, precisions
from torch import nn

from arlif import layers
from arlif.base.errors import LoweringError
from arlif.core.network import Input
from arlif.neurons import LIF
from arlif.quantize import Precision, QatNetwork, linearize
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.simulation import Record

SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def check(data: st.DataObject) -> None:
    real, graph = data.draw(linearized_networks())
    qat = QatNetwork(real, graph.input, data.draw(precisions()), graph.time_steps)
    try:
        network = qat.quantized()
    except LoweringError:
        assume(False)
    inputs = data.draw(inputs_for(network, network.time_steps))
    record = Record.everything(network, states=False)
    want = reference.simulate(network, inputs, network.time_steps, record)
    got = fast.simulate(network, inputs, network.time_steps, record)
    raw = torch.tensor(inputs[None] if network.input.static else inputs, dtype=torch.float32)
    qat.train(data.draw(st.booleans()))
    with torch.set_grad_enabled(qat.training):
        readout, spikes = qat.run(network, raw)
    np.testing.assert_array_equal(readout.detach().sum(0).numpy(), want.readout)
    np.testing.assert_array_equal(got.readout, want.readout)
    for name, trace in want.traces.items():
        np.testing.assert_array_equal(spikes[name].detach().numpy() == 1, trace.spikes)
        np.testing.assert_array_equal(got.traces[name].spikes, trace.spikes)


@settings(max_examples=40, **SETTINGS)
@given(st.data())
def test_forward_is_the_integer_network(data: st.DataObject) -> None:
    check(data)


class Named(nn.Module):
    """A chain whose neuron has a name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.a, self.b, self.name = layers.Linear(4, 4), layers.Linear(4, 3), name
        self.add_module(name, LIF())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(getattr(self, self.name)(self.a(x)))


@pytest.mark.parametrize("name", ["keys", "values", "pop", "items"])
def test_populations_may_be_called_like_methods(name: str) -> None:
    source = Input((4,), 1.0, 0, 127, static=False)
    qat = QatNetwork(linearize(Named(name), (4,)), source, Precision(), 2)
    assert [p.name for p in qat.quantized().populations] == [name]
    assert qat(torch.ones(2, 5, 4)).shape == (2, 5, 3)


@pytest.mark.slow
@settings(max_examples=500, **SETTINGS)
@given(st.data())
def test_forward_is_the_integer_network_on_many(data: st.DataObject) -> None:
    check(data)
