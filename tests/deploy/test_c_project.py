"""The C project: clean, self-checking, with the options that were asked for."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.c_projects import COMPILERS, require_clean, require_equal, simulated
from support.networks_integer import example_network

from arlif.base.errors import ArlifError, FormatError, SimulationError
from export.c import COptions, Style, write_c
from hw_sim.engines.deployed import c_engine
from hw_sim.engines.deployed.toolchain import Tool
from hw_sim.engines.simulation import Record


@pytest.fixture(params=[Style.DENSE, Style.EVENT, Style.FUSED])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write_c(example_network(), tmp_path / "c" / "network.c", COptions(request.param))
    return tmp_path / "c"


@pytest.mark.parametrize("compiler", COMPILERS)
def test_compilers_have_nothing_to_say(project: Path, compiler: str) -> None:
    require_clean(project, compiler)


@pytest.mark.skipif(not shutil.which("cppcheck"), reason="cppcheck is not installed")
def test_cppcheck_names_only_the_rules_of_misra_that_the_readme_names(project: Path) -> None:
    quiet = [
        "--quiet",
        *(f"--suppress={w}" for w in ("missingIncludeSystem", "unusedFunction")),
        *("-UARLIF_RECORD", "-USELFTEST_WRITE", "-UARLIF_TRUSTED_INPUT"),
    ]
    command = ["cppcheck", "--std=c99", "--enable=all", "--template={file} {id}", *quiet]
    for file, addon in (("network.c", ["--addon=misra"]), ("selftest.c", [])):
        done = subprocess.run(
            [*command, *addon, file], cwd=project, capture_output=True, text=True, check=False
        )
        found = {line for line in done.stderr.splitlines() if line.startswith(file)}
        rules = {line.removeprefix(f"{file} misra-c2012-") for line in found}
        assert bool(rules) == bool(addon)
        assert rules <= named_rules(project / "README.md")


def named_rules(readme: Path) -> set[str]:
    """The rules in the first column of a project's table of MISRA."""
    rows = re.findall(
        r"^\| ([\d., ]+) \| (?:advisory|required) \|", readme.read_text(), re.MULTILINE
    )
    return {rule for row in rows for rule in row.split(", ")}


def make(project: Path, target: str) -> tuple[int, str]:
    done = subprocess.run(
        ["make", target], cwd=project, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_the_selftest_passes_and_finds_one_wrong_constant(project: Path) -> None:
    code, said = make(project, "check")
    assert (code, said.count("equal"), "PASS" in said) == (0, 4, True)
    text = (project / "network.c").read_text()
    head, weights, rest = re.split(
        r"((?:add|dot|scatter)\d_weights\[\d+\] = {\n)", text, maxsplit=1
    )
    first, _, others = rest.partition(",")
    (project / "network.c").write_text(f"{head}{weights}{int(first) - 40},{others}")
    code, said = make(project, "check")
    assert (code != 0, "FAIL" in said, "DIFFER" in said) == (True, True, True)


@pytest.mark.parametrize("style", [Style.DENSE, Style.EVENT, Style.FUSED])
def test_exports_of_equal_networks_are_equal(style: Style, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_c(example_network(), tmp_path / name / "network.c", COptions(style))
    one = [path for path in (tmp_path / "one").rglob("*") if path.is_file()]
    for path in one:
        assert (
            path.read_bytes()
            == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
        )
    assert len(one) == 10


def test_a_prefix_names_all_that_is_public(tmp_path: Path) -> None:
    network = example_network()
    raw = np.zeros((1, *network.input.shape), np.int8)
    got = simulated(network, raw, tmp_path, COptions(prefix="mine", vectors=1))
    require_equal(network, raw, got)
    assert "arlif_" not in (tmp_path / "c" / "network.h").read_text()


def test_what_cannot_be_asked_for_is_refused() -> None:
    for prefix in ("2x", "a-b", "_x", "é"):
        with pytest.raises(ArlifError, match="--prefix is a word of C"):
            COptions(prefix=prefix)


def test_inputs_are_clamped_to_their_raw_range(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text(
        '#include "c/network.h"\n#include <stdio.h>\nstatic arlif_network n;\n'
        "int main(void) { static int8_t a[ARLIF_INPUTS], b[ARLIF_INPUTS];"
        "for (int k = 0; k < ARLIF_INPUTS; k++) { a[k] = k % 3 ? 99 : -99; b[k] = k % 3 ? 1 : 0; }"
        "arlif_run(&n, a); for (int k = 0; k < ARLIF_CLASSES; k++)"
        ' printf("%ld ", (long)arlif_logits(&n)[k]); printf("\\n"); arlif_run(&n, b);'
        "for (int k = 0; k < ARLIF_CLASSES; k++)"
        ' printf("%ld ", (long)arlif_logits(&n)[k]); printf("\\n"); return 0; }\n'
    )
    network = example_network()
    network = replace(network, input=replace(network.input, low=0, high=1))
    write_c(network, tmp_path / "c" / "network.c")
    for flags, equal in (([], True), (["-DARLIF_TRUSTED_INPUT"], False)):
        command = ["cc", "-std=c99", *flags, "main.c", "c/network.c", "-o", "main"]
        subprocess.run(command, cwd=tmp_path, check=True)
        said = subprocess.run(["./main"], cwd=tmp_path, capture_output=True, text=True, check=True)
        first, second = said.stdout.splitlines()
        assert (first == second) is equal


def test_a_manifest_that_does_not_fit_is_refused(project: Path, tmp_path: Path) -> None:
    path = project / "network.json"
    text = path.read_text()
    for broken in ("{}", "[]", "{", text.replace('"classes"', '"klasses"')):
        path.write_text(broken)
        with pytest.raises(FormatError, match=r"network\.json"):
            c_engine.build(project / "network.c", tmp_path)
    path.write_text(text.replace('"numerics_version": 1', '"numerics_version": 9'))
    with pytest.raises(FormatError, match="numerics version 9"):
        c_engine.build(project / "network.c", tmp_path)


def test_what_cannot_be_compiled_is_one_line(project: Path, tmp_path: Path) -> None:
    (project / "network.c").write_text("int x = ;")
    with pytest.raises(SimulationError, match=r"failed: .*error") as found:
        c_engine.build(project / "network.c", tmp_path)
    assert "\n" not in str(found.value)


def test_a_missing_tool_names_its_cures() -> None:
    tool = Tool("C compiler", ("no-such-cc",), pip="ziglang", apt="gcc")
    with pytest.raises(SimulationError) as found:
        tool.require()
    assert str(found.value) == (
        "there is no C compiler; install it with: pip install ziglang, or apt-get install gcc"
    )


def test_steps_can_be_other_than_those_of_training(project: Path, tmp_path: Path) -> None:
    program = c_engine.build(project / "network.c", tmp_path)
    network = example_network()
    raw = np.ones((2, *network.input.shape), np.int8)
    if not program.manifest.stepwise:
        with pytest.raises(SimulationError, match=r"runs for 4 time steps, not 7; .*--style dense"):
            program.simulate(raw, 7, Record())
        return
    got = program.simulate(raw, 7, Record(("mixed",)))
    assert got.traces["mixed"].spikes.shape == (7, 2, 5)
    assert not got.traces["mixed"].states
