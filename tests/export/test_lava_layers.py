"""What stock Lava finds in a .net file, read with h5py, and the rules that it must keep to run."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import h5py
import numpy as np
import pytest
from support.raw_neurons import cuba, lif_hard, lif_soft, with_constants

from arlif.core.formats import FixedPointFormat
from arlif.core.maps import Conv2d, Dense
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from arlif.core.real_neurons import RealCuba
from export.lava import read_net, stock_obstacles, write_net

LIF = lif_hard(FixedPointFormat(24, 6), 12, 0, 64 * 10 + 1)
CUBA = cuba(FixedPointFormat(25, 6), 12, 1000, 3000, 64 * 10 + 1, np.zeros(1))
LIMIT = 131_071
"""The most that 64 n holds in 24 bits."""


def one(
    weights: Any,
    neuron: Any = LIF,
    bias: Any = 0,
    source: Input | None = None,
    last: Any = 1,
    time_steps: int = 1,
    **changes: Any,
) -> QuantizedNetwork:
    """Inputs -- dense --> one population "p" -- dense --> readout."""
    weights = np.atleast_2d(np.array(weights, np.int8))
    neurons, inputs = weights.shape
    gains, biases = np.full(neurons, 64, np.uint8), np.full(neurons, 64 * np.array(bias), np.int32)
    fields = {"gain": gains, "gain_shift": 0, "bias": biases} | changes
    if neuron.is_a(RealCuba):
        neuron = with_constants(neuron, bias=np.zeros(neurons, np.int32))
    population = Population("p", (neurons,), neuron, **fields)
    ends = np.full((1, neurons), last, np.int8)
    return QuantizedNetwork(
        source or Input((inputs,), 1.0, 0, 1),
        (population,),
        (Projection(INPUT, "p", (Dense(weights),)), Projection("p", READOUT, (Dense(ends),))),
        Readout(np.zeros(1)),
        time_steps,
    )


def spiking(total: int) -> np.ndarray:
    """8-bit weights that add up to `total`, and one of the other sign, 1."""
    whole, rest = divmod(abs(total), 127)
    return np.sign(total) * np.array([*[127] * whole, rest, -1])


RULES: dict[str, tuple[QuantizedNetwork, QuantizedNetwork, str]] = {
    # (runs on stock Lava, does not, why): one step apart
    "threshold": (
        one(1, with_constants(CUBA, threshold=64 * LIMIT + 1)),
        one(1, with_constants(CUBA, threshold=64 * LIMIT + 2)),
        "a threshold is",
    ),
    "lowest threshold": (
        one(1, with_constants(LIF, threshold=1)),
        one(1, with_constants(LIF, threshold=-63)),
        "a threshold is",
    ),
    "never": (
        one(1, with_constants(CUBA, threshold=1 << 23)),
        one(1, with_constants(CUBA, threshold=(1 << 23) - 1)),
        "a threshold is",
    ),
    "largest bias": (one(1, bias=4095), one(1, bias=4096), "a bias is"),
    "smallest bias": (one(1, bias=-4096), one(1, bias=-4097), "a bias is"),
    "uneven bias": (one(1), one(1, bias=1 / 64), "a bias is"),
    "one gain": (
        one([[1], [1]]),
        one([[1], [1]], gain=np.array([64, 63], np.uint8)),
        "the gain 64",
    ),
    "gain shift": (one(1), one(1, gain_shift=1), "no shift in every channel"),
    "decay": (one(1), one(1, replace(LIF, factor_bits=11)), "12-bit decays"),
    "states": (one(1), one(1, replace(LIF, state_format=FixedPointFormat(23, 6))), "24-bit"),
    "states of CUBA": (
        one(1, CUBA),
        one(1, replace(CUBA, state_format=FixedPointFormat(26, 6))),
        "25-bit",
    ),
    "one decay": (
        one([[1], [1]]),
        one([[1], [1]], with_constants(LIF, decay=np.array([0, 1]))),
        "one decay for a whole layer",
    ),
    "one threshold of CUBA": (
        one([[1], [1]], CUBA),
        one([[1], [1]], with_constants(CUBA, threshold=np.array([641, 641]))),
        "one threshold for a whole layer",
    ),
    "a decay that turns signs": (
        one(1, with_constants(CUBA, decay=0)),
        one(1, with_constants(CUBA, decay=-1)),
        "decay cannot be negative",
    ),
    "the limit of Lava's potential": (
        one(1, CUBA),
        one(1, with_constants(CUBA, limit=(1 << 23) - 2)),
        "limited to",
    ),
    "one bias of CUBA": (
        one([[1], [1]], CUBA),
        one([[1], [1]], CUBA, bias=[0, 1]),
        "takes its bias in the membrane potential",
    ),
    "soft reset": (
        one(1),
        one(1, lif_soft(LIF.state_format, 12, 0, 641)),
        "no neuron LifSoft",
    ),
    "signs": (one([1, -1]), one([0, -1]), "where none is positive"),
    "highest current": (
        one(spiking(LIMIT), CUBA),
        one(spiking(LIMIT + 1), CUBA),
        "the synaptic current may reach",
    ),
    "lowest current": (
        one(spiking(-LIMIT), CUBA),
        one(spiking(-LIMIT - 1), CUBA),
        "the synaptic current may reach",
    ),
    "lowest potential": (
        one(spiking(-131_064), bias=-7),
        one(spiking(-131_064), bias=-8),
        "the membrane potential may reach",
    ),
    "lowest potential after long": (
        one(spiking(-65_532), with_constants(LIF, decay=2048), bias=-3),
        one(spiking(-65_532), with_constants(LIF, decay=2048), bias=-4),
        "the membrane potential may reach",
    ),
    "highest potential": (
        one(spiking(131_058), bias=3),
        one(spiking(131_058), bias=4),
        "the membrane potential may reach",
    ),
    "highest potential at the threshold": (
        one(spiking(131_058), with_constants(LIF, threshold=64 * 13 + 1)),
        one(spiking(131_058), with_constants(LIF, threshold=64 * 14 + 1)),
        "the membrane potential may reach",
    ),
    "no leak": (
        one(1, with_constants(LIF, decay=4096)),
        one([1, -1], with_constants(LIF, decay=4096)),
        r"the membrane potential may reach \[-inf",
    ),
    "steps": (
        one(1, last=4, time_steps=LIMIT // 4),
        one(1, last=4, time_steps=LIMIT // 4 + 1),
        "its sum over 32768 time steps",
    ),
    "steps of sums below 0": (
        one([[1], [1]], last=[1, -3], time_steps=LIMIT // 3),
        one([[1], [1]], last=[1, -3], time_steps=LIMIT // 3 + 1),
        "its sum over",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_stock_lava_holds_up_to_its_end(rule: str) -> None:
    kept, broken, message = RULES[rule]
    assert stock_obstacles(kept) == ()
    with pytest.raises(AssertionError, match=message):
        assert stock_obstacles(broken) == ()


def changed(network: QuantizedNetwork, index: int, **changes: Any) -> QuantizedNetwork:
    projections = list(network.projections)
    projections[index] = replace(projections[index], **changes)
    return replace(network, projections=tuple(projections))


def test_what_is_no_chain_is_named() -> None:
    network = one([1, 2])
    assert "no shift behind a sum, here 1" in stock_obstacles(changed(network, 0, shift=1))[0]
    past = Projection(INPUT, READOUT, (Dense(np.ones((1, 2), np.int8)),))
    both = replace(network, projections=(*network.projections, past))
    assert "readout: it is fed by p, input" in stock_obstacles(both)[0]


def convolutional(neuron: Any) -> QuantizedNetwork:
    """2 x 4 x 4 -- conv --> "c", 4 x 2 x 2 -- dense --> "f", 3 -- dense --> 2 classes."""
    rng = np.random.default_rng(0)
    kernels, full, last = (
        rng.integers(1, 9, shape).astype(np.int8) for shape in ((4, 1, 3, 2), (3, 16), (2, 3))
    )
    conv = Conv2d(kernels, (2, 1), (1, 0), (1, 2), 2)
    cuba = neuron.is_a(RealCuba)
    bias = 64 * np.array([3, -2, 0, 1])
    first = with_constants(neuron, bias=bias.reshape(4, 1, 1)) if cuba else neuron
    second = with_constants(neuron, bias=np.zeros(3, np.int32)) if cuba else neuron
    populations = (
        Population("c", (4, 2, 2), first, np.full(4, 64), 0, np.zeros(4) if cuba else bias),
        Population("f", (3,), second, np.full(3, 64), 0, np.zeros(3)),
    )
    projections = (
        Projection(INPUT, "c", (conv,)),
        Projection("c", "f", (Dense(full),)),
        Projection("f", READOUT, (Dense(last),)),
    )
    source = Input((2, 4, 4), 1.0, 0, 1)
    return QuantizedNetwork(source, populations, projections, Readout(np.zeros(2)), 3)


def read(group: Any) -> Any:
    """A group as h5py sees it, texts as texts and arrays as lists, without what is arlif's."""
    if isinstance(group, h5py.Group):
        return {name: read(item) for name, item in group.items() if name != "arlif"}
    value = group[()]
    return value.decode() if isinstance(value, bytes) else value.tolist()


@pytest.mark.parametrize(
    ("neuron", "decays"),
    [(with_constants(LIF, decay=1000), (4096, 3096)), (CUBA, (1096, 3096))],
    ids=["LIF", "CUBA"],
)
def test_the_keys_that_netx_reads(tmp_path: Any, neuron: Any, decays: tuple[int, int]) -> None:
    network = convolutional(neuron)
    write_net(network, tmp_path / "a.net")
    with h5py.File(tmp_path / "a.net") as file:
        layers = read(file["layer"])
        for index, layer in enumerate((1, 3, 4)):  # the same weights twice, but once in the file
            ours = file[f"layer/{layer}/arlif/projection/{index}/map/0/weight"]
            assert ours == file[f"layer/{layer}/weight"]
    weights = [p.maps[0].stored_weights().tolist() for p in network.projections]
    spikes = {"type": "LOIHI", "iDecay": decays[0], "vDecay": decays[1], "vThMant": 10}
    spikes |= {"refDelay": 1, "gradedSpike": False}
    conv = {"type": "conv", "inChannels": 2, "outChannels": 4, "kernelSize": [3, 2]}
    conv |= {"stride": [2, 1], "padding": [1, 0], "dilation": [1, 2], "groups": 2}
    dense = {"type": "dense", "inFeatures": 16, "outFeatures": 3, "weight": weights[1]}
    last = {"type": "dense", "inFeatures": 3, "outFeatures": 2, "weight": weights[2]}
    conv |= {"shape": [4, 2, 2], "weight": weights[0], "bias": [3, -2, 0, 1], "neuron": spikes}
    assert layers == {
        "0": {"type": "input", "shape": [2, 4, 4]},
        "1": conv,
        "2": {"type": "flatten", "shape": [16]},
        "3": dense | {"shape": [3], "neuron": spikes, "bias": layers["3"]["bias"]},
        "4": last | {"shape": [2]},
    }
    assert not np.any(layers["3"]["bias"])


def test_what_stock_lava_cannot_run_does_not_look_as_if_it_could(tmp_path: Any) -> None:
    network = changed(convolutional(LIF), 2, shift=1)
    write_net(network, tmp_path / "a.net")
    with h5py.File(tmp_path / "a.net") as file:
        layers = read(file["layer"])
    assert layers["4"]["type"] == "arlif"
    assert layers["1"]["neuron"] == {"type": "arlif.LifHard"}
    assert read_net(tmp_path / "a.net") == network


def test_a_threshold_never_reached_is_written_as_one_past_17_bits(tmp_path: Any) -> None:
    write_net(one(1, with_constants(CUBA, threshold=1 << 23)), tmp_path / "a.net")
    with h5py.File(tmp_path / "a.net") as file:
        assert file["layer/1/neuron/vThMant"][()] == 1 << 17


def test_more_layers_than_ten_keep_their_order(tmp_path: Any) -> None:
    """As text, 10 stands before 2."""
    ones, names = Dense(np.ones((1, 1), np.int8)), [f"p{index}" for index in range(12)]
    chain = [INPUT, *names, READOUT]
    network = QuantizedNetwork(
        Input((1,), 1.0),
        tuple(Population(name, (1,), LIF, np.full(1, 64), 0, np.zeros(1)) for name in names),
        tuple(Projection(a, b, (ones,)) for a, b in pairwise(chain)),
        Readout(np.zeros(1)),
        2,
    )
    write_net(network, tmp_path / "a.net")
    assert read_net(tmp_path / "a.net") == network
