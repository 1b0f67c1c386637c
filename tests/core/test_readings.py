"""What a network proves of a readout that reads a state."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from arlif.base.errors import ArlifError, LoweringError, NetworkError
from arlif.core.integer_neurons import Numbers
from arlif.core.maps import Dense
from arlif.core.network import (
    READOUT,
    Input,
    OverTime,
    Population,
    Projection,
    QuantizedNetwork,
    Reading,
    Readout,
)
from arlif.core.neuron import Neuron, constant, traced
from arlif.core.real_neurons import RealIntegrator, RealSynapticIntegrator
from arlif.quantize.neuron_constants import to_integer
from export.verilog import write_verilog
from hw_sim.energy.cores import estimate_mapping
from hw_sim.energy.counter import count
from hw_sim.engines.integer.fast import simulate

LAST = Reading("out", "v", OverTime.LAST)


def network(reading: Reading = LAST, classes: int = 3, bias: int = 0) -> QuantizedNetwork:
    neuron = to_integer(RealIntegrator(0.5), Numbers())
    gain, none = np.full(3, 255, np.uint8), np.zeros(3, np.int32)
    return QuantizedNetwork(
        Input((2,), 1.0, 0, 1, static=False),
        (Population("out", (3,), neuron, gain, 8, none),),
        (Projection("input", "out", (Dense(np.array([[4, 0], [0, 4], [-4, 2]], np.int8)),)),),
        Readout(np.full(classes, bias, np.int32), 0.5, reading),
        2,
    )


def with_projection() -> QuantizedNetwork:
    known = network()
    into = Projection("input", READOUT, (Dense(np.ones((3, 2), np.int8)),))
    return replace(known, projections=(*known.projections, into))


WRONG: dict[str, tuple[Callable[[], QuantizedNetwork], str]] = {
    "no such population": (lambda: network(Reading("o", "v", OverTime.LAST)), "the last v of o: "),
    "no such variable": (lambda: network(Reading("out", "u", OverTime.LAST)), "which has v"),
    "another shape": (lambda: network(classes=4), r"a population of shape \(4,\)"),
    "a projection too": (with_projection, "no projection enters the readout"),
    "a bias past int32": (lambda: network(bias=2**31 - 1), "use a smaller bias"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_read_is_refused(what: str) -> None:
    make, message = WRONG[what]
    with pytest.raises(NetworkError, match=message):
        make()


def test_the_last_and_the_largest_differ() -> None:
    """v = v / 2 + x, rounded toward zero, x = trunc(w 255 / 256): 3 for 4, -3 for -4, 1 for 2."""
    frames = np.array([[[1, 0]], [[0, 1]]], np.int8)
    last = simulate(network(), frames, 2)
    largest = simulate(network(Reading("out", "v", OverTime.LARGEST), bias=-7), frames, 2)
    assert last.readout.tolist() == [[1, 3, 0]]
    assert largest.readout.tolist() == [[3 - 7, 3 - 7, 0 - 7]]


def test_energy_counts_what_is_done() -> None:
    """Nothing for the last potential; a comparison and a choice at every step for the largest."""
    frames = np.ones((2, 1, 2), np.int8)
    bills = {}
    for over in OverTime:
        known = network(Reading("out", "v", over))
        bills[over] = count(known, frames, simulate(known, frames, 2), 2).layers
        assert [layer.layer for layer in estimate_mapping(known).layers] == ["out"]
    assert [layer.name for layer in bills[OverTime.LAST]] == ["out"]
    largest = bills[OverTime.LARGEST][-1]
    assert largest.is_readout
    assert sorted(op.kind.value for op in largest.update.operations) == ["compare", "select"]


def test_verilog_refuses_it_by_name(tmp_path: object) -> None:
    with pytest.raises(ArlifError, match="out never fires; the readout is the last v of out"):
        write_verilog(network(), f"{tmp_path}/verilog")


@pytest.mark.parametrize("kind", [RealIntegrator(leak=0.1), RealSynapticIntegrator(0.3)])
def test_integrators_never_fire(kind: Neuron) -> None:
    graph = traced(kind)
    assert not graph.fires
    assert not to_integer(kind, Numbers()).fires


class Always(Neuron):
    """Spikes that depend on a constant."""

    state = ("u",)
    threshold: float = constant(1.0)

    def step(self, ops, state, x):  # type: ignore[no-untyped-def]
        return ops.fire(self.threshold, 0), (ops.saturate(state.u + x),)


class One(Always):
    """Spikes that are the number 1."""

    def step(self, ops, state, x):  # type: ignore[no-untyped-def]
        return 1, (ops.saturate(state.u + x),)


@pytest.mark.parametrize(
    ("kind", "rule"), [(Always, "return 0 for a neuron that never fires"), (One, "or 0 if it")]
)
def test_only_zero_says_that_a_neuron_never_fires(kind: type[Neuron], rule: str) -> None:
    with pytest.raises((ArlifError, LoweringError), match=rule):
        to_integer(kind(), Numbers())
