"""What belongs together in a run is known by digests, whatever the clock says."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from support.command_line import Cli
from support.small_runs import refused

from arlif.base.digests import DIGESTS


@pytest.fixture
def run(exported: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(exported, tmp_path / "run"))


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("file", "verb", "cure"),
    [
        ("config.json", ("evaluate",), "train {run} --overwrite"),
        ("model.pt", ("evaluate",), "train {run} --resume"),
        ("model.pt", ("simulate", "--engine", "onnx"), "train {run} --resume"),
        ("network.nir", ("map",), "quantize {run}"),
        ("network.net", ("simulate", "--engine", "lava"), "export {run}"),
        ("network.onnx", ("simulate", "--engine", "onnx"), "export {run}"),
        ("traces/integer.h5", ("energy",), "simulate {run} --engine integer"),
        ("traces/integer.json", ("energy",), "simulate {run} --engine integer"),
        ("metrics.csv", ("energy", "--table3"), "train {run} --resume"),
        ("energy.json", ("report",), "energy {run}"),
        ("quantize.json", ("report",), "quantize {run}"),
        ("training.json", ("report",), "train {run} --resume"),
    ],
)
def test_one_wrong_bit_is_found(
    run: Path, cli: Cli, file: str, verb: tuple[str, ...], cure: str
) -> None:
    if file.startswith(("traces", "energy")):
        assert cli("simulate", run, "--samples", "4")[0] == 0
        assert cli("energy", run)[0] == 0
    flip(run / file)
    err = refused(cli, verb[0], run, *verb[1:])
    assert f"{run / file} was damaged or changed after it was written" in err
    assert err.endswith(f"write it again with: arlif {cure.format(run=run)}\n")


def test_times_of_files_mean_nothing(run: Path, cli: Cli) -> None:
    assert cli("simulate", run, "--samples", "4")[0] == 0
    ahead = time.time() + 3600
    for number, path in enumerate(sorted(run.rglob("*.*"), reverse=True)):
        os.utime(path, (ahead - 60 * number, ahead - 60 * number))
    for verb in (("energy",), ("export",), ("simulate", "--engine", "onnx", "--samples", "4")):
        assert cli(verb[0], run, *verb[1:])[0] == 0


def test_a_clock_that_was_set_back_mixes_no_networks(run: Path, cli: Cli) -> None:
    """The 8-bit .onnx is dated after the 4-bit .nir."""
    assert cli("quantize", run, "--weight-bits", "4", "--samples", "9")[0] == 0
    assert cli("simulate", run, "--samples", "4")[0] == 0
    os.utime(run / "network.onnx", (time.time() + 60,) * 2)
    err = refused(cli, "simulate", run, "--engine", "onnx", "--samples", "4")
    assert (
        "network.onnx was made from another network.nir; write it again with: arlif export" in err
    )
    assert cli("export", run)[0] == 0
    assert cli("simulate", run, "--engine", "onnx", "--samples", "4")[0] == 0


def test_half_of_what_a_verb_writes_is_not_used(run: Path, cli: Cli) -> None:
    """As after a kill between the two files, or before the notes of them."""
    assert cli("simulate", run, "--samples", "4")[0] == 0
    before = {name: (run / name).read_bytes() for name in ("traces/integer.json", DIGESTS)}
    assert cli("simulate", run, "--samples", "5")[0] == 0
    (run / DIGESTS).write_bytes(before[DIGESTS])
    assert f"arlif simulate {run} --engine integer" in refused(cli, "energy", run)
    (run / "traces/integer.json").write_bytes(before["traces/integer.json"])
    assert f"arlif simulate {run} --engine integer" in refused(cli, "energy", run)
    assert cli("simulate", run, "--samples", "5")[0] == 0
    assert cli("energy", run)[0] == 0


def test_a_file_of_another_run_is_not_taken(run: Path, trained: Path, cli: Cli) -> None:
    assert cli("quantize", run, "--weight-bits", "4", "--samples", "9")[0] == 0
    shutil.copy(trained / "network.nir", run / "network.nir")
    assert f"arlif quantize {run}" in refused(cli, "simulate", run)


def test_a_run_of_an_earlier_arlif_keeps_its_training(run: Path, cli: Cli) -> None:
    (run / DIGESTS).unlink()
    assert cli("evaluate", run)[0] == 0
    err = refused(cli, "simulate", run)
    assert "network.nir is of an earlier arlif, which did not note what it was made from" in err
    assert err.endswith(f"write it again with: arlif quantize {run}\n")
    assert cli("quantize", run, "--samples", "9")[0] == 0
    assert cli("simulate", run, "--samples", "4")[0] == 0
    flip(run / "model.pt")
    assert f"arlif train {run} --resume" in refused(cli, "evaluate", run)


def test_notes_that_are_damaged_are_said_to_be(run: Path, cli: Cli) -> None:
    flip(run / DIGESTS)
    assert f"{run / DIGESTS} is damaged" in refused(cli, "evaluate", run)


def test_a_printed_source_may_be_changed_by_hand(run: Path, cli: Cli) -> None:
    def simulated(engine: str) -> str:
        code, out, _ = cli("simulate", run, "--engine", engine, "--samples", "2")
        assert code == 0
        return out

    assert cli("export", run, "--c")[0] == 0
    assert "not as it was exported" not in simulated("integer") + simulated("c")
    source = run / "c/network.c"
    source.write_text(source.read_text() + "/* by hand */\n")
    assert f"arlif simulate {run} --engine c" in refused(cli, "compare", run, "--got", "c")
    assert "warning: c/network.c is not as it was exported" in simulated("c")
    code, out, _ = cli("compare", run, "--got", "c")
    assert (code, out.count("c/network.c is not as it was exported")) == (0, 1)
    assert json.loads(cli("compare", run, "--got", "c", "--json")[1])["edited"] == ["c/network.c"]
    (run / "c/mine.c").write_text("int main(void) { return 0; }\n")
    assert cli("export", run, "--c")[0] == 0
    assert "not as it was exported" not in simulated("c")
