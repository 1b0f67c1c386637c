"""The ONNX engine gives what its file holds, and says what it does not."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx as onnx_files
import pytest
from onnx import helper, numpy_helper
from support.networks_small import conv_net, images, quantized
from support.simulations import assert_equal

from arlif.base.errors import FormatError, SimulationError
from arlif.core.integer_neurons import PRESETS
from arlif.quantize import Precision
from export.onnx import write_onnx
from export.onnx.file import with_digest
from hw_sim.engines import onnx
from hw_sim.engines.integer import reference
from hw_sim.engines.simulation import Record

RECORDS = [Record(), Record(("7",)), Record(("7",), True), Record(("3", "7"), True)]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A network of 24 bits, two samples, and its files without and with states."""
    precision = Precision(numbers=PRESETS["loihi24"])
    network = quantized(conv_net(), (1, 8, 8), precision)
    inputs = network.input.encode(images((1, 8, 8), 2, seed=1)[0].numpy())
    folder = tmp_path_factory.mktemp("onnx")
    for name, states in (("spikes", False), ("states", True)):
        write_onnx(network, folder / name, states=states)
    return network, inputs, folder


@pytest.mark.parametrize("record", RECORDS, ids=str)
def test_what_is_asked_is_recorded_and_nothing_else(case, record: Record) -> None:
    network, inputs, folder = case
    want = reference.simulate(network, inputs, 300, record)
    for source in (network, folder / "states"):
        assert_equal(want, onnx.simulate(source, inputs, 300, record))


@pytest.mark.parametrize("record", RECORDS, ids=str)
def test_states_that_a_file_does_not_hold_are_refused(case, record: Record) -> None:
    network, inputs, folder = case
    if record.states:
        with pytest.raises(SimulationError, match=r"not output the states of '[37]'; .*=True"):
            onnx.simulate(folder / "spikes", inputs, 4, record)
    else:
        want = reference.simulate(network, inputs, 4, record)
        assert_equal(want, onnx.simulate(folder / "spikes", inputs, 4, record))


def test_a_file_of_another_version_is_refused_when_it_is_loaded(case, tmp_path: Path) -> None:
    model = onnx_files.load(case[2] / "spikes")
    (entry,) = (held for held in model.metadata_props if held.key == "numerics_version")
    entry.value = "2"
    onnx_files.save(model, tmp_path / "changed")
    with pytest.raises(FormatError, match="numerics version 2"):
        onnx.load(tmp_path / "changed")


@pytest.mark.parametrize("samples", [1, 3])
def test_a_graph_that_answers_for_other_samples_is_refused(
    case, tmp_path: Path, samples: int
) -> None:
    """Made by hand, with a digest that fits."""
    _, inputs, folder = case
    model = onnx_files.load(folder / "spikes")
    last = next(node for node in model.graph.node if "readout" in node.output)
    last.output[0] = "first"
    rows = numpy_helper.from_array(np.arange(samples) % 2, "rows")
    model.graph.initializer.append(rows)
    model.graph.node.append(helper.make_node("Gather", ["first", "rows"], ["readout"], axis=0))
    (tmp_path / "changed").write_bytes(with_digest(model))
    with pytest.raises(FormatError, match=rf"readout is int64 of shape \({samples}, .* 2 samples"):
        onnx.simulate(tmp_path / "changed", inputs, 4)


@pytest.mark.parametrize("where", ["graph", "scan", "branches", "function"])
def test_a_graph_that_might_not_end_is_refused(case, tmp_path: Path, where: str) -> None:
    """A loop, or graphs within a scan; ONNX Runtime could not be stopped, even by Ctrl-C."""
    model = onnx_files.load(case[2] / "spikes")
    scan = next(node for node in model.graph.node if node.op_type == "Scan")
    body = next(held for held in scan.attribute if held.name == "body")
    name = {"scan": "Scan", "function": "Endless"}.get(where, "Loop")
    loop = helper.make_node(name, ["go"], ["end"])
    held = helper.make_attribute("branches", [body.g]) if where == "branches" else body
    loop.attribute.append(held)
    if where == "function":
        opsets = [helper.make_opsetid("", 17)]
        model.functions.append(helper.make_function("own", name, ["go"], ["end"], [loop], opsets))
    (body.g if where == "scan" else model.graph).node.append(loop)
    (tmp_path / "changed").write_bytes(with_digest(model))
    with pytest.raises(FormatError, match=rf"it holds .*{name}, which no graph of arlif"):
        onnx.load(tmp_path / "changed")


@pytest.mark.parametrize("optimize", [True, False])
def test_optimisations_of_the_graph_can_be_switched_off(
    case, optimize: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bits do not change, so the session is asked."""
    network, inputs, folder = case
    levels, asked = onnx.GraphOptimizationLevel, []
    session = onnx.InferenceSession

    def watched(path: str, options: Any, providers: list[str]) -> Any:
        asked.append(options.graph_optimization_level)
        return session(path, options, providers=providers)

    monkeypatch.setattr(onnx, "InferenceSession", watched)
    want = reference.simulate(network, inputs, 4)
    for source in (network, folder / "spikes"):
        assert_equal(want, onnx.simulate(source, inputs, 4, optimize=optimize))
    assert asked == [levels.ORT_ENABLE_ALL if optimize else levels.ORT_DISABLE_ALL] * 2
