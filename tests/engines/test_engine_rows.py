"""Every row of the table runs what it reads: decisions, first traces, clipped share, network."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.networks_small import conv_net, digits_like, images
from support.simulations import assert_equal
from torch import Tensor

from arlif.base.errors import ArlifError, SimulationError
from arlif.core.equality import fingerprint
from arlif.core.network import QuantizedNetwork
from export.c import write_c
from export.lava import write_net
from export.nir import write_nir
from export.onnx import write_onnx
from hw_sim.engines import floating_point
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.integer.integer_options import Device, IntegerOptions
from hw_sim.engines.lava.lava_options import LavaOptions, Models
from hw_sim.engines.simulation import Record
from hw_sim.engines.table import ENGINES, choose, every_option, find_engine
from hw_sim.engines.work import Outcome, Work
from hw_sim.origin.original import Original

FILES = {"integer": write_nir, "onnx": write_onnx, "lava": write_net, "c": write_c}
INTEGER_ENGINES = ["integer", "onnx", "c", pytest.param("lava", marks=pytest.mark.lava)]


def some_clipped() -> Tensor:
    """Five samples, of which a known share of the values lies beyond the input's range."""
    real = images((1, 8, 8), 5, seed=1)
    real[0, 0, 0, :4] = 9.0
    real[0, 1, 0, 0] = -9.0
    return real


def run(engine: str, path: Path, traced: int, **options: Any) -> tuple[Outcome, list[Any]]:
    row, told = ENGINES[engine], []
    given = choose(row, options)
    work = Work(path, some_clipped(), 4, traced, given, lambda *done: told.append(done))
    return row.run(work), told


@pytest.mark.parametrize("engine", INTEGER_ENGINES)
@pytest.mark.parametrize("traced", [0, 2])
def test_an_engine_answers_as_the_specification_does(
    engine: str, traced: int, tmp_path: Path
) -> None:
    network, _ = digits_like(samples=1)
    FILES[engine](network, tmp_path / "file")
    raw = network.input.encode(some_clipped()[0])
    whole = reference.simulate(network, raw, 4, Record.everything(network))
    outcome, told = run(engine, tmp_path / "file", traced)
    got = outcome.simulation
    assert_equal(whole.answers, got.answers)
    for name, counts in whole.counts.items():
        np.testing.assert_array_equal(got.counts[name], counts, strict=True)
    assert got.recorded == (5 if engine == "lava" and traced else traced)
    for name, trace in got.traces.items():
        np.testing.assert_array_equal(trace.spikes, whole.first(got.recorded).traces[name].spikes)
        assert trace.states.keys() == (set() if engine == "onnx" else {"u", "r"})
    assert outcome.clipped == pytest.approx((32 + 8) / 320)
    assert outcome.network in (fingerprint(network), None)
    assert (outcome.network is None) == (engine == "onnx")
    assert told[-1] == (5, 5)


def test_the_float_engine_records_and_keeps_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(
        floating_point,
        "load_original",
        lambda folder: (asked.append(folder), Original(conv_net(), (1, 8, 8), True, 4))[1],
    )
    outcome, _ = run("float", Path("run/model.pt"), 2)
    assert asked == [Path("run")]
    assert (outcome.simulation.recorded, outcome.network, outcome.clipped) == (2, None, 0.0)
    np.testing.assert_array_equal(
        outcome.simulation.readout, conv_net()(some_clipped()).detach().double().sum(0)
    )


def test_the_device_that_is_asked_for_is_the_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, _ = digits_like(samples=1)
    write_nir(network, tmp_path / "file")
    asked: list[str] = []

    def engine(
        network: QuantizedNetwork, device: str = "no device", block_steps: int = 1
    ) -> fast.FastEngine:
        asked.append(device)
        return real(network, block_steps=block_steps)

    real = fast.FastEngine
    monkeypatch.setattr(fast, "FastEngine", engine)
    run("integer", tmp_path / "file", 0, device=Device.CUDA)
    fast.simulate(network, np.zeros((1, 1, 8, 8), np.int8), 1, device="cuda")
    assert asked == ["cuda", "cuda"]


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = digits_like(samples=1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for device in ("cuda", "cuda:1"):
        with pytest.raises(SimulationError, match=f"^device {device} needs a GPU, .* on cpu$"):
            fast.FastEngine(network, device)


ROWS = {
    "float": ("model.pt", False, None),
    "integer": ("network.nir", True, None),
    "lava": ("network.net", True, 32),
    "onnx": ("network.onnx", True, None),
    "c": ("c/network.c", True, None),
    "cortex-m0": ("c/network.c", True, 32),
    "cortex-m4": ("c/network.c", True, 32),
    "rv32": ("c/network.c", True, 32),
}
"""What a row reads, whether it is exact, and how many samples it takes unasked."""


@pytest.mark.parametrize("name", ROWS)
def test_rows_say_what_they_are(name: str) -> None:
    row = find_engine(name)
    assert (row.reads.name, row.exact, row.samples) == ROWS[name]


def test_no_other_name_is_an_engine() -> None:
    with pytest.raises(ArlifError, match=f"no engine 'fast'; there are {', '.join(ENGINES)}$"):
        find_engine("fast")


OPTIONS = {
    "--device": (["integer"], "device", "cpu", None),
    "--time-limit": (["lava", "lava-lif"], "time_limit_s", 600.0, 1),
    "--lava-models": (["lava"], "models", Models.FAST, None),
    "--workers": (["lava"], "workers", 1, 1),
    "--sanitize": (["c"], "sanitize", False, None),
    "--as-events": (["c"], "as_events", False, None),
}
"""By flag: whose it is, the field, its default and the least."""


@pytest.mark.parametrize("flag", OPTIONS)
def test_an_option_is_offered_for_its_engines_with_its_least(flag: str) -> None:
    (offered,) = (option for option in every_option() if option.flag == flag)
    engines, *told = OPTIONS[flag]
    assert [offered.name, offered.default, offered.least] == told
    assert every_option()[offered] == [ENGINES[engine] for engine in engines]


def test_an_option_of_two_engines_is_offered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    twin = type(ENGINES["integer"])("twin", ENGINES["integer"].reads, "none", IntegerOptions)
    monkeypatch.setitem(ENGINES, "twin", twin)
    (rows,) = (rows for option, rows in every_option().items() if option.name == "device")
    assert rows == [ENGINES["integer"], twin]
    assert choose(twin, {"device": "cuda"}) == IntegerOptions("cuda")


def test_chosen_options_keep_the_other_defaults() -> None:
    assert choose(ENGINES["lava"], {"workers": 3}) == LavaOptions(workers=3)
    with pytest.raises(ArlifError, match=r"^--time-limit, --workers need --engine lava, not onnx$"):
        choose(ENGINES["onnx"], {"workers": 3, "time_limit_s": 9.0})


def test_a_simulation_is_what_its_verb_names() -> None:
    row = ENGINES["lava"]
    assert (row.traces.name, row.traces.verb) == ("traces/lava.h5", "simulate --engine lava")
    assert (row.figures.name, row.figures.verb) == ("traces/lava.json", "simulate --engine lava")
    assert row.traces.made_from == row.figures.made_from == row.reads
