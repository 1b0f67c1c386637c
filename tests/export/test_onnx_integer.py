"""The integer ONNX graph gives the reference engine's bits, in every runtime we know."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator
from support import strategies

from arlif.base.errors import ArlifError, FormatError, SimulationError
from arlif.core.maps import Conv2d, Dense, SumPool2d
from arlif.core.network import READOUT, Input, Projection, QuantizedNetwork, Readout
from export.onnx import write_onnx
from export.onnx.file import with_digest
from export.onnx.symbols import OPSET
from hw_sim.engines import onnx as onnx_engine
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record, Simulation

ONE_FILE = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def assert_same(want: Simulation, got: Simulation) -> None:
    assert np.array_equal(got.readout, want.readout)
    assert got.readout.dtype == want.readout.dtype
    assert got.counts.keys() == want.counts.keys()
    assert all(np.array_equal(got.counts[name], counts) for name, counts in want.counts.items())
    assert list(got.traces) == list(want.traces)
    for name, trace in want.traces.items():
        assert np.array_equal(got.traces[name].spikes, trace.spikes)
        assert list(got.traces[name].states) == list(trace.states)
        for variable, values in trace.states.items():
            assert np.array_equal(got.traces[name].states[variable], values)


@given(case=strategies.cases(), optimize=st.booleans())
@ONE_FILE
def test_onnxruntime_equals_reference(
    case: strategies.Case, optimize: bool, tmp_path: Path
) -> None:
    record = Record.everything(case.network)
    want = reference.simulate(case.network, case.inputs, case.time_steps, record)
    path = tmp_path / "network.onnx"
    write_onnx(case.network, path, states=True)
    got = onnx_engine.simulate(path, case.inputs, case.time_steps, record, optimize)
    assert_same(want, got)


@given(case=strategies.cases(max_populations=2, max_samples=2, max_steps=6))
@settings(ONE_FILE, max_examples=20)
def test_onnx_reference_evaluator_equals_reference(case: strategies.Case, tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    write_onnx(case.network, path)
    evaluator = ReferenceEvaluator(str(path))
    feeds = {"input": case.inputs}
    if case.network.input.static:
        feeds["time_steps"] = np.array(case.time_steps)
    got = dict(zip(evaluator.output_names, evaluator.run(None, feeds), strict=True))
    record = Record.everything(case.network, states=False)
    want = reference.simulate(case.network, case.inputs, case.time_steps, record)
    assert np.array_equal(got[READOUT], want.readout)
    for name, trace in want.traces.items():
        assert np.array_equal(got[f"{name}.spikes"], trace.spikes)


def _network(source: Input, time_steps: int = 2) -> QuantizedNetwork:
    """Two convolutions and a dense map in one projection, all weights as heavy as they can be."""
    heavy = np.full((2, source.shape[0], 3, 3), 127)
    maps = (Conv2d(heavy), Conv2d(-np.ones((1, 2, 2, 2), int)), Dense(np.ones((3, 4), int)))
    return QuantizedNetwork(
        source, (), (Projection("input", "readout", maps),), Readout(np.zeros(3)), time_steps
    )


@pytest.mark.parametrize("raw", [-127, 127])
def test_values_wider_than_a_byte_between_maps(raw: int) -> None:
    network = _network(Input((2, 5, 5), 1.0))
    frame = np.full((2, 2, 5, 5), raw, np.int8)
    want = np.full((2, 3), -2 * 4 * 4 * 2 * (raw * 127 * 18))
    assert np.array_equal(onnx_engine.simulate(network, frame, 2).readout, want)


@pytest.mark.parametrize("top", [63, 64])
def test_a_byte_holds_255_and_not_256(top: int) -> None:
    """Between the maps stand 4 times 63 or 64; the second map reads one byte or two."""
    maps = (Dense(np.array([[2, 2]])), Dense(np.ones((1, 1), int)))
    source, readout = Input((2,), 1.0, 0, top), Readout(np.zeros(1))
    network = QuantizedNetwork(source, (), (Projection("input", READOUT, maps),), readout, 1)
    frame = np.array([[top, top]], np.int8)
    assert onnx_engine.simulate(network, frame, 1).readout.tolist() == [[4 * top]]


@pytest.mark.parametrize("raw", [-64, -1, 64])
def test_the_sums_of_every_digit_fit_32_bits(raw: int) -> None:
    """Between the maps stand -128 to 128, two bytes; sums of a byte from 0 on could pass 2**31."""
    inputs = (2**31 - 1) // (127 * 128)
    maps = (SumPool2d((1, 2), (1, 2)), Dense(np.full((1, inputs), 127, np.int8)))
    source, readout = Input((1, 1, 2 * inputs), 1.0, -64, 64), Readout(np.zeros(1))
    network = QuantizedNetwork(source, (), (Projection("input", READOUT, maps),), readout, 1)
    assert network.accumulator_bits(READOUT) == 32
    frame = np.full((1, 1, 1, 2 * inputs), raw, np.int8)
    assert onnx_engine.simulate(network, frame, 1).readout.tolist() == [[2 * raw * 127 * inputs]]


@pytest.mark.parametrize("static", [True, False])
def test_one_file_serves_every_batch_and_time(static: bool, tmp_path: Path) -> None:
    network = _network(Input((2, 5, 5), 1.0, static=static))
    path = tmp_path / "network.onnx"
    write_onnx(network, path)
    rng = np.random.default_rng(0)
    for samples, time_steps in ((1, 1), (3, 2), (2, 7)):
        lead = (samples,) if static else (time_steps, samples)
        inputs = rng.integers(-127, 128, (*lead, 2, 5, 5)).astype(np.int8)
        want = reference.simulate(network, inputs, time_steps)
        assert_same(want, onnx_engine.simulate(path, inputs, time_steps))


def test_file_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    write_onnx(_network(Input((2, 5, 5), 0.25, low=0), time_steps=6), path)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    noted = metadata.pop("sha256")
    assert metadata == {
        "numerics_version": "1",
        "input_scale": "0.25",
        "input_low": "0",
        "input_high": "127",
        "input_static": "true",
        "readout_scale": "1.0",
        "time_steps": "6",
    }
    zeros = path.read_bytes().replace(noted.encode(), b"0" * 64)
    assert sha256(zeros).hexdigest() == noted


def test_it_is_of_the_oldest_version_that_holds_it(tmp_path: Path) -> None:
    """onnxruntime 1.10 of 2021 reads opset 15 and version 8 of the format."""
    path = tmp_path / "network.onnx"
    write_onnx(_network(Input((2, 5, 5), 1.0)), path)
    model = onnx.load(path)
    assert (model.ir_version, model.opset_import[0].version) == (8, 15)
    assert model.producer_name == "arlif"


@pytest.mark.parametrize(("low", "unsigned"), [(0, False), (-1, False), (-2, True), (-127, True)])
def test_bytes_beside_signed_weights_reach_128_and_no_more(
    low: int, unsigned: bool, tmp_path: Path
) -> None:
    """Two products of a byte and 127 must fit 16 bits; so inputs span at most 128."""
    maps = (Dense(np.full((1, 4), 127)),)
    source, readout = Input((4,), 1.0, low, 127), Readout(np.zeros(1))
    network = QuantizedNetwork(source, (), (Projection("input", READOUT, maps),), readout, 1)
    path = tmp_path / "network.onnx"
    write_onnx(network, path)
    stored = [onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer]
    (weights,) = [array for array in stored if array.shape == (4, 1)]
    assert weights.dtype == (np.uint8 if unsigned else np.int8)
    assert np.all(weights == (255 if unsigned else 127))
    frame = np.array([[low, 127, 127, low]], np.int8)
    want = [[127 * (2 * low + 254)]]
    assert onnx_engine.simulate(path, frame, 1).readout.tolist() == want


def _rewrite(path: Path, **changes: str | None) -> None:
    """Change or drop metadata of a file, whose digest fits then."""
    model = onnx.load(path)
    kept = {e.key: e.value for e in model.metadata_props} | changes
    onnx.helper.set_model_props(model, {k: v for k, v in kept.items() if v is not None})
    path.write_bytes(with_digest(model))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"numerics_version": "2"}, "numerics version 2"),
        ({"numerics_version": None}, "not an integer graph of arlif"),
        ({"input_low": '"deep"'}, "not a sound ONNX file"),
        ({"input_scale": "{"}, "not a sound ONNX file"),
    ],
)
def test_foreign_metadata_is_refused(
    changes: dict[str, str | None], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "network.onnx"
    write_onnx(_network(Input((2, 5, 5), 1.0)), path)
    _rewrite(path, **changes)
    with pytest.raises(FormatError, match=message):
        onnx_engine.simulate(path, np.zeros((1, 2, 5, 5), np.int8), 1)


def test_no_changed_byte_of_a_file_runs(tmp_path: Path) -> None:
    """ONNX Runtime runs one file of twelve with a flipped bit, to other results."""
    path = tmp_path / "network.onnx"
    write_onnx(_network(Input((2, 5, 5), 1.0)), path)
    content = path.read_bytes()
    for at in np.random.default_rng(0).integers(len(content), size=40):
        path.write_bytes(content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :])
        with pytest.raises(FormatError, match="export it again"):
            onnx_engine.load(path)
    path.write_bytes(content)
    assert onnx_engine.load(path).input.shape == (2, 5, 5)


def test_damaged_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    write_onnx(_network(Input((2, 5, 5), 1.0)), path)
    path.write_bytes(path.read_bytes()[:-100])
    for bad in (path, tmp_path / "absent.onnx", tmp_path):
        with pytest.raises(FormatError, match="export it again"):
            onnx_engine.simulate(bad, np.zeros((1, 2, 5, 5), np.int8), 1)


@given(case=strategies.cases(max_populations=1, max_samples=1))
@settings(ONE_FILE, max_examples=3)
def test_unrecorded_states_and_misfits_are_named(case: strategies.Case, tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    write_onnx(case.network, path)
    with pytest.raises(SimulationError, match="states=True"):
        onnx_engine.simulate(path, case.inputs, case.time_steps, Record(("p0",), states=True))
    with pytest.raises(ArlifError, match="no populations nowhere"):
        onnx_engine.simulate(path, case.inputs, case.time_steps, Record(("nowhere",)))
    with pytest.raises(ArlifError, match="inputs must be"):
        onnx_engine.simulate(path, case.inputs[..., None], case.time_steps)
