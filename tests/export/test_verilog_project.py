"""Exported Verilog: its golden vectors pass in Icarus, for networks of every kind."""

import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.live_loops import live_loop_cases
from support.networks_integer import example_network
from support.networks_small import digits_like
from support.strategies import Case, networks
from support.verilog_projects import exported, needs_icarus, needs_verilator, simulated

from arlif.base.errors import ArlifError, FormatError, NetworkError
from arlif.core.maps import Conv2d, Dense, SumPool2d, Window, apply_chain
from arlif.core.network import INPUT, READOUT, Input, Projection, QuantizedNetwork
from export.golden import golden
from export.verilog.manifest import manifest, manifest_tree, read_manifest
from export.verilog.plan import planned
from export.verilog.project import step_clocks
from export.verilog.scattering import frame, scattering
from export.verilog.verilog_folder import write_verilog
from export.verilog.verilog_options import VerilogOptions

RNG = np.random.default_rng(5)


def weight(*shape: int) -> np.ndarray:
    return RNG.integers(-127, 128, shape).astype(np.int8)


CHAINS = {
    "conv": (Conv2d(weight(3, 4, 3, 2), (2, 1), (1, 2), (1, 2)),),
    "depthwise": (Conv2d(weight(4, 1, 3, 3), padding=(1, 1), groups=4),),
    "groups": (Conv2d(weight(6, 2, 1, 3), groups=2),),
    "pool": (SumPool2d((3, 2), (2, 1), (1, 0)),),
    "pool, conv": (SumPool2d((2, 2), (2, 2)), Conv2d(weight(5, 4, 2, 2), padding=(1, 0))),
    "overlapping pools, dense": (
        SumPool2d((3, 3), (1, 2), (1, 1)),
        SumPool2d((2, 2), (2, 2)),
        Dense(weight(7, 4 * 3 * 1)),
    ),
    "none": (),
    "conv, pool": (Conv2d(weight(3, 4, 2, 2)), SumPool2d((2, 2), (1, 1))),
    "conv, dense": (Conv2d(weight(2, 4, 3, 3)), Dense(weight(3, 2 * 4 * 3))),
}
SOURCE = (4, 6, 5)


@pytest.mark.parametrize("name", CHAINS)
def test_paths_add_up_to_the_maps(name: str) -> None:
    maps = CHAINS[name]
    paths = scattering(maps, SOURCE)
    given_ = RNG.integers(-127, 128, SOURCE)
    want = apply_chain(maps, given_[None], (-127, 127))[0]
    shape = frame(want.shape)
    got = np.zeros(shape, np.int64)
    for c, y, x in np.ndindex(SOURCE):
        for row, ky in paths.rows[y]:
            for column, kx in paths.columns[x]:
                got[:, row, column] += given_[c, y, x] * paths.weights[ky, kx, c]
    np.testing.assert_array_equal(got.reshape(want.shape), want)


@needs_icarus
@pytest.mark.parametrize("lanes", [0, 2])
def test_golden_vectors_pass(lanes: int, tmp_path) -> None:
    assert "PASS: 2 vectors" in simulated(exported(example_network(), tmp_path, lanes))


@needs_icarus
def test_streamed_frames_pass(tmp_path) -> None:
    network = example_network()
    streamed = replace(network, input=replace(network.input, static=False))
    assert "PASS: 3 vectors" in simulated(exported(streamed, tmp_path, vectors=3))


@needs_icarus
def test_a_wrong_weight_and_a_wrong_state_are_found(tmp_path) -> None:
    folder = exported(example_network(), tmp_path)
    memory = folder / "layer0_0_weights.hex"
    kept = memory.read_text()
    first = kept.splitlines()[4]
    memory.write_text(kept.replace(first, f"{int(first, 16) ^ 1:0{len(first)}x}", 1))
    said = simulated(folder)
    assert "layer conv: vector 0 differs" in said
    assert "FAIL" in said
    memory.write_text(kept)
    text = (folder / "network.v").read_text()
    (folder / "network.v").write_text(text.replace("s_r, s_u} = state", "s_u, s_r} = state"))
    assert "FAIL" in simulated(folder)


@needs_icarus
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks(max_populations=3, max_steps=3), st.integers(0, 3))
def test_random_networks_pass(tmp_path_factory, network: QuantizedNetwork, lanes: int) -> None:
    said = simulated(exported(network, tmp_path_factory.mktemp("random"), lanes))
    assert "PASS" in said, said


@needs_icarus
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(live_loop_cases(longest=7, most=2), st.integers(0, 2))
def test_random_loops_pass(tmp_path_factory, case: Case, lanes: int) -> None:
    said = simulated(exported(case.network, tmp_path_factory.mktemp("loop"), lanes))
    assert "PASS" in said, said


@pytest.mark.slow
@needs_icarus
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(live_loop_cases(longest=18), st.integers(0, 5))
def test_many_random_loops_pass(tmp_path_factory, case: Case, lanes: int) -> None:
    said = simulated(exported(case.network, tmp_path_factory.mktemp("loop"), lanes))
    assert "PASS" in said, said


def delayed(network: QuantizedNetwork, delay: int) -> QuantizedNetwork:
    late = tuple(replace(p, delay=delay) for p in network.projections)
    return replace(network, projections=late)


@needs_icarus
@pytest.mark.parametrize("delay", [1, 9])
@pytest.mark.parametrize("static", [True, False], ids=["still", "streamed"])
def test_delays_pass(static: bool, delay: int, tmp_path) -> None:
    network = example_network()
    network = replace(network, input=replace(network.input, static=static))
    assert "PASS: 3 vectors" in simulated(exported(delayed(network, delay), tmp_path, vectors=3))


@needs_icarus
def test_ors_of_spikes_pass_and_a_lost_bit_is_found(tmp_path) -> None:
    network = example_network()
    pooled = [
        replace(p, maps=p.maps[1:], pools=(Window((2, 2), (2, 2)),)) if p.source == "conv" else p
        for p in network.projections
    ]
    folder = exported(replace(network, projections=tuple(pooled)), tmp_path)
    assert "PASS: 2 vectors" in simulated(folder)
    unit = folder / "lib" / "arlif_or.v"
    unit.write_text(unit.read_text().replace("hit && !found", "hit"))
    assert "FAIL" in simulated(folder)


@pytest.mark.slow
@needs_icarus
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks(max_populations=4, max_steps=6), st.integers(0, 5))
def test_many_random_networks_pass(tmp_path_factory, network: QuantizedNetwork, lanes: int) -> None:
    said = simulated(exported(network, tmp_path_factory.mktemp("random"), lanes))
    assert "PASS" in said, said


@needs_verilator
@pytest.mark.parametrize("lanes", [0, 2])
def test_lint_has_no_warning(lanes: int, tmp_path) -> None:
    network = digits_like(1)[0] if lanes else example_network()
    folder = exported(network, tmp_path, lanes, vectors=1)
    done = subprocess.run(
        [
            "verilator",
            "--lint-only",
            "-Wall",
            "-y",
            "lib",
            "--top-module",
            "arlif_network",
            "network.v",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_icarus
def test_clocks_keep_to_the_formula(tmp_path) -> None:
    network = example_network()
    alone = QuantizedNetwork(
        network.input,
        network.populations[:1],
        (network.projections[0], Projection("conv", READOUT, (Dense(weight(5, 108)),))),
        network.readout,
        network.time_steps,
    )
    plan, known = planned(alone), golden(alone, 1)
    conv, readout = plan.layers
    (source,) = conv.sources
    updates = sum(source.updates(y, x, c) for _, c, y, x in np.argwhere(known.inputs))
    spikes = [int(step.moments["conv"].spikes.sum()) for step in known.steps]
    steps = alone.time_steps
    assert sum(spikes) > 0
    most = updates + steps * step_clocks(conv, 0)
    least = updates + steps * conv.neurons
    last = step_clocks(readout, spikes[-1]) + conv.words + 20
    found = re.search(r"(\d+) clocks", simulated(exported(alone, tmp_path, vectors=1)))
    assert found is not None
    assert least < int(found[1]) <= most + last
    assert most + last < 1.3 * least


def test_what_is_too_large_is_refused_with_the_sum(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("export.verilog.verilog_folder.MOST_BITS", 2000)
    with pytest.raises(NetworkError, match=r"Mbit on the chip.*conv -> mixed 0.0"):
        write_verilog(example_network(), tmp_path / "network.v")


def test_a_long_delay_is_refused_with_what_its_queue_takes(tmp_path, monkeypatch) -> None:
    network = replace(example_network(), time_steps=30)
    write_verilog(network, tmp_path / "network.v", VerilogOptions(vectors=1))
    kept = [linear.stored_weights() for p in network.projections for linear in p.maps]
    most = sum(8 * weights.size for weights in kept if weights is not None)
    monkeypatch.setattr("export.verilog.verilog_folder.MOST_BITS", most)
    write_verilog(network, tmp_path / "network.v", VerilogOptions(vectors=1))
    with pytest.raises(NetworkError, match=r"weights and delays .* shorter delays"):
        write_verilog(delayed(network, 20), tmp_path / "network.v", VerilogOptions(vectors=1))


def test_options_are_checked() -> None:
    for wrong in ({"lanes": -1}, {"vectors": 0}):
        with pytest.raises(ArlifError, match="at least"):
            VerilogOptions(**wrong)


def test_the_manifest_is_read_back_and_damage_refused(tmp_path) -> None:
    folder = exported(example_network(), tmp_path)
    path = folder / "network.json"
    known = manifest(planned(example_network()))
    assert read_manifest(path) == known
    assert manifest_tree(known)["network"] == known.network
    for text in ("", "[]", path.read_text().replace('"place"', '"plaice"'), "{"):
        path.write_text(text)
        with pytest.raises(FormatError, match="export again"):
            read_manifest(path)


def test_a_still_input_into_the_readout_counts_at_every_step() -> None:
    network = example_network()
    direct = Projection(INPUT, READOUT, (Dense(weight(5, 72)),))
    plan = planned(replace(network, projections=(*network.projections, direct)))
    source = plan.readout.sources[0]
    assert source.still
    matrix = direct.maps[0].weight.astype(np.int64) * network.time_steps
    np.testing.assert_array_equal(np.sort(source.paths.weights.ravel()), np.sort(matrix.ravel()))
    assert isinstance(network.input, Input)
