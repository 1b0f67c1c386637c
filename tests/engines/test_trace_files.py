"""What an engine wrote is what is read: every type, every state, nothing where nothing was."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from support.networks_small import digits_like
from support.simulations import assert_equal

from arlif.base.errors import FormatError
from hw_sim.engines import traces
from hw_sim.engines.integer import fast
from hw_sim.engines.simulation import Record, Simulation, Trace
from hw_sim.engines.traces import read_traces, steps_of, write_traces


@pytest.mark.parametrize("record", ["everything", "spikes", "nothing"])
def test_a_simulation_is_read_as_it_was_written(record: str, tmp_path: Path) -> None:
    network, inputs = digits_like(samples=3)
    asked = Record() if record == "nothing" else Record.everything(network, record == "everything")
    simulation = fast.simulate(network, inputs, 300, asked)
    write_traces(simulation, tmp_path / "t.h5")
    assert_equal(simulation, read_traces(tmp_path / "t.h5"))


def test_every_dataset_says_its_axes_its_unit_and_its_scale(tmp_path: Path) -> None:
    network, inputs = digits_like(samples=2)
    simulation = fast.simulate(network, inputs, 4, Record.everything(network))
    write_traces(simulation, tmp_path / "t.h5", steps_of(network))
    one = network.populations[0].neuron.state_format.one
    known = {
        "readout": (["N", "class"], "raw step", network.readout.scale),
        "counts": (["N", "C", "H", "W"], "spikes", 1.0),
        "spikes": (["T", "N", "C", "H", "W"], "spikes", 1.0),
        "states": (["T", "N", "C", "H", "W"], "raw step", 1 / one),
    }
    said = []

    def look(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            kind = next(part for part in name.split("/") if part in known)
            found = ([*item.attrs["axes"]], item.attrs["unit"], item.attrs["scale"])
            assert found == known[kind], name
            assert len(found[0]) == item.ndim
            said.append(kind)

    with h5py.File(tmp_path / "t.h5") as file:
        file.visititems(look)
    assert {*said} == {*known}
    flat = Simulation(np.zeros((1, 2)), {"a": np.ones((1, 3), np.uint8)}, {})
    write_traces(flat, tmp_path / "t.h5")
    with h5py.File(tmp_path / "t.h5") as file:
        assert (file["readout"].attrs["unit"], file["readout"].attrs["scale"]) == ("real", 1.0)
        assert [*file["counts/a"].attrs["axes"]] == ["N", "neuron"]


def test_real_states_and_logits_keep_their_type(tmp_path: Path) -> None:
    states = {name: np.full((2, 1, 3), at, np.float32) for name, at in (("u", 0.1), ("r", 0.2))}
    trace = Trace(np.array([[[True, False, True]]] * 2), states)
    counts = np.array([[2, 0, 2]], np.uint16)
    simulation = Simulation(np.array([[0.1]]), {"a.b": counts}, {"a.b": trace})
    write_traces(simulation, tmp_path / "t.h5")
    assert_equal(simulation, read_traces(tmp_path / "t.h5"))


def other(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["else"] = 1


def group_for_a_readout(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("readout")


def numbers_for_counts(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["readout"], file["counts"] = np.zeros((1, 1)), 5


@pytest.mark.parametrize(
    "damage",
    [lambda path: path.write_bytes(b"text"), other, group_for_a_readout, numbers_for_counts],
)
def test_any_other_file_is_refused(damage, tmp_path: Path) -> None:
    damage(tmp_path / "t.h5")
    with pytest.raises(FormatError, match=r"t\.h5 is not a trace file .*; simulate again$"):
        read_traces(tmp_path / "t.h5")


@pytest.mark.parametrize("name", ["readout", "counts/a", "traces/a/spikes", "traces/a/states/u"])
def test_an_array_for_which_the_file_has_no_room_is_not_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a run that has noted its digest: it would take all memory, and minutes."""
    monkeypatch.setattr(traces, "require_readable", lambda path: None)
    trace = Trace(np.zeros((4, 2, 5), bool), {"u": np.zeros((4, 2, 5), np.int32)})
    simulation = Simulation(
        np.zeros((2, 3), np.int64), {"a": np.zeros((2, 5), np.uint8)}, {"a": trace}
    )
    write_traces(simulation, tmp_path / "t.h5")
    with h5py.File(tmp_path / "t.h5", "a") as file:
        del file[name]
        file.create_dataset(name, (1 << 20, 1 << 20), np.int32, chunks=(64, 64), compression="gzip")
    with pytest.raises(FormatError, match=rf"/{name} of shape .* does not fit the 0 bytes"):
        read_traces(tmp_path / "t.h5")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("readout", np.zeros(2)),
        ("readout", np.zeros((0, 3))),
        ("readout", np.zeros((2, 3), "S1")),
        ("counts/a", np.zeros((3, 5), np.uint8)),
        ("counts/a", np.uint8(1)),
        ("traces/a/spikes", np.zeros((4, 3, 5), np.uint8)),
        ("traces/a/spikes", np.zeros((4, 2), np.uint8)),
        ("traces/a/states/u", np.zeros((4, 2, 6), np.int32)),
        ("readout", np.full((2, 3), np.nan)),
        ("traces/a/states/u", np.full((4, 2, 5), np.inf)),
        ("counts/a", np.ones((2, 6), np.uint8)),
        ("counts/a", np.zeros((2, 5))),
        ("counts/a", np.ones((2, 5), np.uint8)),
        ("traces/a/spikes", np.eye(4, 10, dtype=np.uint8).reshape(4, 2, 5)),
        ("traces/a/spikes", np.full((4, 2, 5), 2, np.uint8)),
        ("traces/a/spikes", np.zeros((4, 2, 5))),
        ("traces/a/spikes", np.zeros((4, 0, 5, 1), np.uint8)),
        ("traces/b/spikes", np.zeros((4, 2, 5), np.uint8)),
        ("traces/a/other", np.zeros((4, 2, 5), np.uint8)),
        ("other", np.zeros(2)),
    ],
)
def test_arrays_of_another_simulation_are_refused(
    name: str, values: np.ndarray, tmp_path: Path
) -> None:
    trace = Trace(np.zeros((4, 2, 5), bool), {"u": np.zeros((4, 2, 5), np.int32)})
    whole = Simulation(np.zeros((2, 3)), {"a": np.zeros((2, 5), np.uint8)}, {"a": trace})
    write_traces(whole, tmp_path / "t.h5")
    assert_equal(whole, read_traces(tmp_path / "t.h5"))
    with h5py.File(tmp_path / "t.h5", "r+") as file:
        file.pop(name, None)
        file[name] = values
    with pytest.raises(FormatError, match=r"t\.h5 is not a trace file .*; simulate again$"):
        read_traces(tmp_path / "t.h5")
