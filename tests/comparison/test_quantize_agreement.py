"""What quantization changed is the same however samples are cut, and traces stay small."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from support.networks_small import conv_net, images, quantized

from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import Numbers
from arlif.core.tables import TableDomain
from arlif.quantize import Precision
from hw_sim.comparison import agreement as agreement_module
from hw_sim.comparison.agreement import agreement, agreements
from hw_sim.engines.floating_point import simulate_float
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record, Simulation, raw_inputs

SAMPLES = 24


@pytest.fixture(scope="module")
def case():
    module = conv_net()
    real = images((1, 8, 8), SAMPLES)
    return module, quantized(module, (1, 8, 8)), real


def test_shares_are_means_over_whole_traces(case) -> None:
    module, network, real = case
    want = simulate_float(module, real, traced=SAMPLES)
    raw = raw_inputs(network, real)
    got = reference.simulate(network, raw, network.time_steps, Record.everything(network))
    found = agreement(module, network, real)
    assert found["samples"] == SAMPLES
    assert found["decisions_changed"] == (want.decisions != got.decisions).sum()
    assert "accuracy" not in found
    assert found["inputs_clipped"] == 0
    third = replace(network, input=replace(network.input, scale=1 / (3 * 127)))
    expected = float((real > 1 / 3 + 1 / (6 * 127)).double().mean())
    assert agreement(module, third, real)["inputs_clipped"] == pytest.approx(expected, abs=1e-6)
    for population in network.populations:
        name, limits = population.name, population.neuron.state_format
        states = np.stack(list(got.traces[name].states.values()))
        assert found["layers"][name] == {
            "neurons": np.prod(population.shape),
            "changed": (want.traces[name].spikes != got.traces[name].spikes).mean(),
            "saturated": ((states == limits.low) | (states == limits.high)).mean(),
        }


def test_states_at_both_limits_of_their_format_are_counted(case) -> None:
    """6 bits, 4 of them fractional: from -2 to 1.94."""
    module, _, real = case
    tiny = Numbers(FixedPointFormat(6, 4), 4, TableDomain(32, -2.0, 2.0))
    network = quantized(module, (1, 8, 8), Precision(tiny))
    raw = raw_inputs(network, real)
    got = reference.simulate(network, raw, network.time_steps, Record.everything(network))
    found = agreement(module, network, real)["layers"]
    highest = 0.0
    for name, trace in got.traces.items():
        states = np.stack(list(trace.states.values()))
        low, high = (states == -32).mean(), (states == 31).mean()
        assert found[name]["saturated"] == pytest.approx(low + high, rel=1e-12)
        assert low > 0
        highest += high
    assert highest > 0


def test_chunks_change_nothing_but_the_size_of_traces(
    case, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, network, real = case
    sizes: list[int] = []

    def spy(run: Callable[..., Simulation]) -> Callable[..., Simulation]:
        def watched(module: torch.nn.Module, part: torch.Tensor, traced: int) -> Simulation:
            sizes.append(traced)
            return run(module, part, traced)

        return watched

    whole = agreements(module, (network, network), real)
    monkeypatch.setattr(agreement_module, "simulate_float", spy(simulate_float))
    per_sample = agreement_module._bytes_per_sample(network)
    assert agreements(module, (network, network), real, trace_bytes=5 * per_sample) == whole
    assert sizes == [5, 5, 5, 5, 4]
    trace = simulate_float(module, real[:, :1], traced=1).traces
    held = sum(t.spikes.nbytes + sum(s.nbytes for s in t.states.values()) for t in trace.values())
    assert per_sample == 2 * held


def test_labels_give_both_accuracies(case) -> None:
    module, network, real = case
    decided = simulate_float(module, real).decisions
    labels = np.where(np.arange(SAMPLES) < 6, decided, decided + 1)
    found = agreement(module, network, real, labels)
    assert found["float_accuracy"] == 0.25
    assert found["accuracy"] == pytest.approx(0.25, abs=found["decisions_changed"] / SAMPLES)
