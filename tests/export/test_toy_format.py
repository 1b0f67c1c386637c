"""A file format is a writer and a row: the test to copy for a real one (docs/extending.md)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import Cli
from support.networks_integer import example_network
from support.small_runs import SMALL

from arlif.artifacts import MODEL, NIR, Artifact
from arlif.base.errors import ArlifError
from arlif.run_folder import Run
from export.file_formats import FORMATS, ONNX, FileFormat, exported, read_integers
from export.lava import write_net
from export.nir import write_nir
from hw_sim.pipeline import export_run

FILE = '''"""A toy: the sizes of the populations as JSON, and the names of a module's weights."""

import json

from arlif.base.files import write_text


def write(network, path):
    """From the integers."""
    write_text(path, json.dumps({p.name: p.shape for p in network.populations}))


def write_names(module, path, input_shape):
    """From the trained module."""
    write_text(path, json.dumps([list(input_shape), *module.state_dict()]))
'''
HELP = """
from arlif.artifacts import MODEL, Artifact
from export.file_formats import FORMATS, FileFormat

artifact = Artifact("names.json", "export --names", MODEL)
FORMATS["names"] = FileFormat(artifact, "toy_format:write_names", meaning="Also the names.")

from hw_sim.cli import main
main(["export", "--help"])
"""
SIZES = FileFormat(Artifact("sizes.json", "export", NIR), "toy_format:write")
NAMES = FileFormat(
    Artifact("names.json", "export --names", MODEL),
    "toy_format:write_names",
    meaning="Also the names.",
)


def test_it_is_exported_with_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    (tmp_path / "toy_format.py").write_text(FILE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(FORMATS, "sizes", SIZES)
    monkeypatch.setitem(FORMATS, "names", NAMES)
    run = tmp_path / "run"
    assert cli("train", run, *SMALL)[0] == 0
    assert cli("quantize", run)[0] == 0
    code, out, _ = cli("export", run)
    assert (code, f"wrote {run / 'sizes.json'}" in out) == (0, True)
    assert not (run / "names.json").exists()
    sizes = json.loads((run / "sizes.json").read_text())
    assert next(iter(sizes.values())) == [4, 8, 8]
    export_run(run, ("names",))
    assert json.loads((run / "names.json").read_text())[0] == [1, 8, 8]


def test_what_it_must_be_asked_for_is_a_flag(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELP], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--names" in done.stdout
    assert "Also the names." in done.stdout


def test_every_row_has_its_functions() -> None:
    for row in FORMATS.values():
        assert callable(row.write)
        assert row.artifact.trained == (row.artifact.made_from is MODEL)
        assert bool(row.flag) == bool(row.meaning)


def test_only_what_a_flag_asks_for_can_be_asked_for() -> None:
    plain = [row.artifact.name for row in exported()]
    assert plain[:2] == ["network.net", "network.onnx"]
    assert "lif.nir" in plain
    assert not {"network.nir", "float.onnx"} & {*plain}
    assert "float.onnx" in [row.artifact.name for row in exported(("float",))]
    for name in ("net", "nir", "lif", "nothing"):
        with pytest.raises(
            ArlifError, match=f"{name!r} is no further format; there are float, c, verilog"
        ):
            exported((name,))


def test_integers_come_from_the_file_or_from_what_it_was_made_from(tmp_path: Path) -> None:
    network, run = example_network(), Run(tmp_path)
    write_nir(network, run.path(NIR))
    write_net(network, run.path(FORMATS["net"].artifact))
    run.record(NIR, FORMATS["net"].artifact)
    for artifact, file in ((FORMATS["net"].artifact, "network.net"), (ONNX, "network.nir")):
        found, path = read_integers(run, artifact)
        assert (found, path.name) == (network, file)
    with pytest.raises(ArlifError, match=r"float\.onnx is not made from integers"):
        read_integers(run, Artifact("float.onnx", "export --float", MODEL))
