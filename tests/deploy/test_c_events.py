"""The event style: what it scatters, what sensors of events call, what auto chooses."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.c_projects import require_equal, simulated
from support.networks_integer import example_network
from support.raw_neurons import lif_hard

from arlif.base.errors import SimulationError
from arlif.core.integer_neurons import PRESETS
from arlif.core.maps import Conv2d, Dense, SumPool2d, Window
from arlif.core.network import (
    INPUT,
    READOUT,
    Input,
    Population,
    Projection,
    QuantizedNetwork,
    Readout,
)
from export.c import COptions, Style, write_c
from export.c.c_manifest import read_manifest
from export.c.choice import can_scatter, should_scatter
from export.golden import golden
from hw_sim.engines.deployed.host_options import HostOptions

AS_EVENTS = HostOptions(sanitize=True, as_events=True)


def sensor(*projections: Projection, threshold: int = 90) -> QuantizedNetwork:
    """Frames of two polarities, 4 x 4, into neurons of the same shape, which reach two classes."""
    rng = np.random.default_rng(1)
    state, shape = PRESETS["compact16"].state_format, (2, 4, 4)
    neuron = lif_hard(state, 8, 200, threshold)
    population = Population("a", shape, neuron, np.full(2, 90), 6, np.zeros(2, np.int32))
    weights = rng.integers(-40, 41, (2, 2, 3, 3)).astype(np.int8)
    read = Dense(rng.integers(-40, 41, (2, 32)).astype(np.int8))
    return QuantizedNetwork(
        Input(shape, 1.0, -5, 20, static=False),
        (population,),
        (
            Projection(INPUT, "a", (Conv2d(weights, padding=(1, 1)),)),
            *projections,
            Projection("a", READOUT, (read,)),
        ),
        Readout(np.zeros(2, np.int32)),
        6,
    )


@pytest.mark.parametrize("style", [Style.DENSE, Style.EVENT])
def test_events_add_up_within_the_range(style: Style, tmp_path: Path) -> None:
    """Clamped after each, none from outside; a frame takes their place; a step forgets them."""
    network = sensor()
    frames = np.zeros((6, 1, 2, 4, 4), np.int8)
    frames[0, 0, 1, 2, 3], frames[0, 0, 0, 1, 1] = 13, -5
    frames[1, 0, 0, 0, 0] = 20
    frames[3] = 20
    write_c(network, tmp_path / "c" / "network.c", COptions(style, vectors=1))
    (tmp_path / "main.c").write_text(
        '#include "c/network.h"\n#include <stdio.h>\n#include <stddef.h>\nstatic arlif_network n;'
        "int main(void) { static int8_t many[32]; for (int k = 0; k < 32; k++) many[k] = 99;"
        "arlif_start(&n); arlif_add_event(&n, 1, 2, 3, 30); arlif_add_event(&n, 1, 2, 3, -7);"
        "arlif_add_event(&n, 0, 1, 1, -100); arlif_add_event(&n, 2, 0, 0, 9);"
        "arlif_add_event(&n, 0, 4, 0, 9); arlif_add_event(&n, 0, 0, 65535, 9);"
        "arlif_step(&n, NULL); arlif_add_event(&n, 0, 0, 0, 20); arlif_step(&n, NULL);"
        "arlif_step(&n, NULL); arlif_add_event(&n, 0, 3, 3, 9); arlif_step(&n, many);"
        "arlif_step(&n, NULL); arlif_step(&n, NULL);"
        'printf("%ld %ld", (long)arlif_logits(&n)[0], (long)arlif_logits(&n)[1]); return 0; }'
    )
    command = ["cc", "-std=c99", "-fsanitize=undefined,address", "main.c", "c/network.c", "-omain"]
    subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run(["./main"], cwd=tmp_path, capture_output=True, text=True, check=True)
    got = simulated(network, frames, tmp_path, COptions(style, vectors=1))
    require_equal(network, frames, got)
    assert got.counts["a"].sum() > 5
    assert [int(word) for word in done.stdout.split()] == got.readout[0].tolist()


def test_what_cannot_be_scattered_is_summed_in_full(tmp_path: Path) -> None:
    weights = np.ones((2, 2, 2, 2), np.int8)
    window = Window((2, 2), (1, 1), (1, 1))
    network = sensor(
        Projection("a", "a", (Conv2d(weights, padding=(1, 1), dilation=(2, 2)),), delay=2),
        Projection("a", READOUT, (Dense(np.ones((2, 50), np.int8)),), pools=(window,)),
        Projection("a", READOUT, (SumPool2d((2, 2), (1, 1)), Dense(np.ones((2, 18), np.int8)))),
        Projection(
            "a", READOUT, (SumPool2d((2, 2), (2, 2)), Dense(np.ones((2, 8), np.int8))), shift=2
        ),
    )
    assert can_scatter(network) == {0, 4, 5}
    frames = golden(network, 3).inputs
    for host in (AS_EVENTS, HostOptions(sanitize=True)):
        got = simulated(network, frames, tmp_path, COptions(Style.EVENT, vectors=1), host)
        require_equal(network, frames, got)
    said = (tmp_path / "c" / "README.md").read_text()
    for reason in ("a -> a: it has a delay", "a -> readout: an OR", "a -> readout: it is a chain"):
        assert f"- {reason}" in said


@pytest.mark.parametrize("style", [Style.DENSE, Style.EVENT])
def test_an_or_waits_where_nothing_else_does(style: Style, tmp_path: Path) -> None:
    window = Window((2, 2), (1, 1), (1, 1))
    ones = (Dense(np.ones((2, 50), np.int8)),)
    network = sensor(Projection("a", READOUT, ones, delay=2, pools=(window,)))
    frames = golden(network, 3).inputs
    got = simulated(network, frames, tmp_path, COptions(style, vectors=1))
    require_equal(network, frames, got)


def test_auto_scatters_what_fires_seldom(tmp_path: Path) -> None:
    """Events cost half as much again as products: below two thirds of all they are fewer."""
    rare, often = sensor(threshold=2000), sensor(threshold=-20000)
    for network, chosen in ((rare, {1}), (often, set())):
        vectors = golden(network, 4)
        spikes = np.mean([step.moments["a"].spikes for step in vectors.steps])
        assert (spikes < 2 / 3) == bool(chosen)
        assert should_scatter(network, vectors) - {0} == chosen
    write_c(rare, tmp_path / "c" / "network.c")
    assert read_manifest(tmp_path / "c").style == "event"
    write_c(often, tmp_path / "c" / "network.c")
    assert read_manifest(tmp_path / "c").style == "dense"


def test_a_static_input_is_no_event(tmp_path: Path) -> None:
    network = example_network()
    raw = np.zeros((1, *network.input.shape), np.int8)
    with pytest.raises(SimulationError, match="--as-events needs a streamed input"):
        simulated(network, raw, tmp_path, COptions(Style.EVENT, vectors=1), AS_EVENTS)
    assert "add_event" not in (tmp_path / "c" / "network.h").read_text()
