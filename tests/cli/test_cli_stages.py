"""Every stage as a notebook calls it: it returns what its verb prints with --json."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.command_line import Cli
from support.small_runs import POINT

from arlif.base.errors import ArlifError
from hw_sim import pipeline

STAGES: dict[str, list[tuple[tuple[str, ...], Callable[[Path], dict[str, Any]]]]] = {
    "evaluate": [
        ((), lambda run: pipeline.evaluate_run(run)),
        (("--engine", "integer"), lambda run: pipeline.evaluate_run(run, "integer")),
    ],
    "check": [
        ((), lambda run: pipeline.check_run(run)),
        (("--preset", "stock-lava"), lambda run: pipeline.check_run(run, "stock-lava")),
    ],
    "calibrate": [
        (
            ("--samples", "20", "--weight-bits", "4"),
            lambda run: pipeline.calibrate_run(run, weight_bits=4, samples=20),
        )
    ],
    "quantize": [(("--samples", "20"), lambda run: pipeline.quantize_run(run, samples=20))],
    "export": [(("--float",), lambda run: pipeline.export_run(run, ("float",)))],
    "simulate": [
        (
            ("--samples", "4"),
            lambda run: pipeline.simulate_run(run, selection=pipeline.Selection(limit=4)),
        )
    ],
    "compare": [(("--got", "onnx"), lambda run: pipeline.compare_run(run, got="onnx"))],
    "energy": [(("--model", "paper"), lambda run: pipeline.energy_run(run, models=["paper"]))],
    "map": [((), lambda run: pipeline.map_run(run))],
    "sweep": [
        (
            (*POINT, "--samples", "10"),
            lambda run: pipeline.sweep_run(run, [8], [1], samples=10),
        )
    ],
}
"""Words of each verb, and the same in Python."""
ELSEWHERE = (
    *("resources", "prove", "neurobench", "table3", "verify"),
    *("vectors", "compare_foreign"),
)
"""What has tests of its own: it needs tools that not everybody has, other data, or all stages."""


@pytest.fixture(scope="module")
def simulated(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run of which two engines have simulated a little."""
    run = tmp_path_factory.mktemp("simulated") / "run"
    shutil.copytree(exported, run)
    for engine in ("integer", "onnx"):
        pipeline.simulate_run(run, engine, pipeline.Selection(limit=6))
    return run


@pytest.mark.parametrize(
    ("verb", "words", "call"),
    [(verb, words, call) for verb, cases in STAGES.items() for words, call in cases],
)
def test_a_stage_returns_what_its_verb_prints(
    simulated: Path,
    tmp_path: Path,
    cli: Cli,
    verb: str,
    words: tuple[str, ...],
    call: Callable[[Path], dict[str, Any]],
) -> None:
    run = tmp_path / "run"
    shutil.copytree(simulated, run)
    returned = call(run)
    shutil.rmtree(run)
    shutil.copytree(simulated, run)
    _, out, _ = cli(verb, run, *words, "--json")
    printed = json.loads(out)
    for result in (returned, printed):
        result.pop("measured", None)
    if verb == "check":  # which says the sizes in words only
        printed |= {name: returned[name] for name in ("populations", "projections")}
    assert json.loads(json.dumps(returned)) == printed


def test_an_import_returns_what_its_verb_prints(exported: Path, tmp_path: Path, cli: Cli) -> None:
    run = tmp_path / "run"
    returned = pipeline.import_run(exported / "network.net", run)
    shutil.rmtree(run)  # an import into a folder with a network warns that it replaces it
    _, out, _ = cli("import", exported / "network.net", run, "--json")
    assert returned == json.loads(out)


def test_no_stage_is_left_out() -> None:
    tried = {f"{verb}_run" for verb in (*STAGES, "import", *ELSEWHERE)}
    assert tried == set(pipeline.__all__) - {"Selection"}


def test_a_sweep_in_python_says_what_it_keeps(simulated: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(simulated, run)
    said: list[str] = []
    seen: list[tuple[int, int]] = []

    def sweep(bits: list[int], samples: int) -> dict[str, Any]:
        said.clear()
        seen.clear()
        return pipeline.sweep_run(
            run,
            bits,
            [1],
            samples,
            progress=lambda *done: seen.append(done),
            say=said.append,
        )

    first = sweep([8], 10)
    assert (said, seen) == ([], [(0, 1), (1, 1)])
    both = sweep([4, 8, 4], 10)
    assert [row["weight_bits"] for row in both["rows"]] == both["weight_bits"] == [4, 8]
    assert both["rows"][1] == first["rows"][0]
    assert ["1 of 2 points already" in line for line in said] == [True]
    assert seen == [(1, 2), (2, 2)]
    sweep([8], 20)
    assert [line.startswith("the sweep starts anew: samples differ") for line in said] == [True]


def test_a_sweep_of_nothing_is_refused(simulated: Path) -> None:
    with pytest.raises(ArlifError, match="at least one bit width"):
        pipeline.sweep_run(simulated, [], [1])
