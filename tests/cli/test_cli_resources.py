"""arlif export --c and resources, as users call them."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.command_line import Cli
from support.small_runs import refused

from hw_sim.engines.deployed.boards import BOARDS
from hw_sim.engines.deployed.toolchain import ELF_READER, UNICORN, ZIG, Tool
from hw_sim.pipeline import resources_run

needs_emulator = pytest.mark.skipif(
    not all(tool.command() for tool in (ZIG, UNICORN, ELF_READER)),
    reason="ziglang, unicorn or pyelftools is not installed",
)


@pytest.fixture
def run(exported: Path, tmp_path: Path, cli: Cli) -> Path:
    """A small run, exported to C."""
    copy = tmp_path / "run"
    shutil.copytree(exported, copy)
    code, out, _ = cli("export", copy, "--c", "--vectors", "1")
    assert code == 0
    assert f"wrote {copy / 'c' / 'network.c'}" in out.replace("\n", "")
    return copy


@needs_emulator
def test_what_fits_and_what_does_not(run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "stm32f411re"
    code, out, _ = cli("resources", run, "--target", name, "--json")
    assert code == 0
    printed = json.loads(out)
    assert json.loads(json.dumps(resources_run(run, [name]))) == printed
    (row,) = printed["targets"]
    assert (row["target"], row["processor"], row["fits"]) == (name, "cortex-m4", True)
    assert 1000 < row["used"]["flash"] < 20_000
    assert 100 < row["stack"] + 100 < row["used"]["RAM"] < 4000
    assert row["instructions"]["least"] > 10_000
    used, exact = row["used"], BOARDS[name]
    for board, cure, ran in (
        (replace(exact, flash=used["flash"], ram=used["RAM"]), "", True),
        (
            replace(exact, flash=used["flash"] - 1),
            "1 bytes of flash too many: smaller layers",
            False,
        ),
        (replace(exact, ram=used["RAM"] - 7), "7 bytes of RAM too many: smaller layers", True),
        (replace(exact, ram=used["RAM"] - row["stack"] - 1), "1 bytes of RAM too many", False),
    ):
        monkeypatch.setitem(BOARDS, name, board)
        code, out, _ = cli("resources", run, "--target", name)
        said = " ".join(out.split())
        assert code == (1 if cure else 0)
        assert cure in said
        assert ("not run" in said) is not ran
        assert cli("report", run)[0] == 0
        page = (run / "report.html").read_text(encoding="utf-8")
        assert (cure in page, "<td>not run</td>" in page) == (True, not ran)


def test_what_is_missing_is_one_line(
    run: Path, exported: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "has no c/network.c; write it with: arlif export" in refused(cli, "resources", exported)
    assert "there is no target pdp11; there are nrf51822," in refused(
        cli, "resources", run, "--target", "pdp11"
    )
    missing = Tool("C compiler for microcontrollers", module="no_such", pip="'arlif[mcu]'")
    monkeypatch.setattr("hw_sim.engines.deployed.mcu_engine.ZIG", missing)
    cure = "there is no C compiler for microcontrollers; install it with: pip install 'arlif[mcu]'"
    assert cure in refused(cli, "resources", run)
    assert cure in refused(cli, "simulate", run, "--engine", "rv32", "--samples", "1")


@needs_emulator
def test_targets_that_nobody_asked_for_need_no_tools(
    run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("export", run, "--verilog", "--vectors", "1")[0] == 0
    missing = Tool("yosys", module="no_such", pip="'arlif[fpga]'")
    monkeypatch.setattr("hw_sim.engines.deployed.fpga.YOSYS", missing)
    code, out, _ = cli("resources", run)
    assert code == 0
    assert "xc7a35: not measured; its tool is installed with: pip install 'arlif[fpga]'" in out
    assert all(board in out for board in BOARDS)
    assert "there is no yosys" in refused(cli, "resources", run, "--target", "xc7a35")


def test_more_vectors_than_memory_is_kept_for_are_refused(run: Path, cli: Cli) -> None:
    for form in ("--c", "--verilog"):
        err = refused(cli, "export", run, form, "--vectors", "1000000")
        assert "1,000,000 golden vectors are more than the" in err


def test_options_of_the_export_are_for_c(run: Path, cli: Cli) -> None:
    assert "--style needs --c" in refused(cli, "export", run, "--style", "dense")
    assert "--prefix is a word of C" in refused(cli, "export", run, "--c", "--prefix", "a b")
