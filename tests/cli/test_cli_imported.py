"""Runs that hold a network of another tool, or a module of one's own: what the verbs do there."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.command_line import Cli
from support.small_runs import SMALL, images, refused, save

from arlif.base.digests import DIGESTS
from arlif.base.lock import LOCK


@pytest.fixture
def run(exported: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(exported, tmp_path / "run"))


@pytest.mark.parametrize(
    "verb",
    [
        ("quantize",),
        ("check",),
        ("calibrate",),
        ("evaluate",),
        ("sweep",),
        ("simulate", "--engine", "float"),
    ],
)
def test_an_imported_network_of_integers_has_no_float_one(
    imported: Path, cli: Cli, verb: tuple[str, ...]
):
    err = refused(cli, verb[0], imported, *verb[1:])
    assert "imported network of integers, which has no float network; import it from real" in err
    assert (
        "or use what it has: export, simulate, evaluate, compare, energy, map, prove, resources, "
        "vectors, report, verify" in err
    )


def test_training_and_import_keep_out_of_each_others_folders(run: Path, imported: Path, cli: Cli):
    assert "holds an imported network" in refused(cli, "train", imported, *SMALL)
    assert {path.name for path in imported.iterdir()} == {LOCK, DIGESTS, "network.nir"}
    before = (run / "network.nir").stat().st_mtime_ns
    err = refused(cli, "import", imported / "network.nir", run)
    assert "holds a training run; import into a folder of its own" in err
    assert (run / "network.nir").stat().st_mtime_ns == before
    assert cli("train", imported, *SMALL, "--overwrite")[0] == 0
    assert f"arlif quantize {imported}" in refused(cli, "simulate", imported)


def test_options_of_real_valued_networks_are_refused_for_integers(
    exported: Path, tmp_path: Path, cli: Cli
):
    for options in (("--dt", "1e-4"), ("--weight-bits", "4"), ("--preset", "loihi24")):
        err = refused(cli, "import", exported / "network.net", tmp_path / "new", *options)
        assert "holds integers" in err
    times = ("--time-steps", "9")
    err = refused(cli, "import", exported / "network.nir", tmp_path / "new", *times)
    assert "T = 4 itself, not 9" in err
    assert not (tmp_path / "new").exists()


def test_an_export_says_what_plain_lif_changes(run: Path, imported: Path, cli: Cli):
    code, out, _ = cli("export", run)
    assert (code, "spikes changed on 32 samples" in out) == (0, True)
    code, out, _ = cli("export", run, "--json", "--data", run)
    (share,) = json.loads(out)["lif_changes"].values()
    assert 0 < share < 0.5
    code, out, _ = cli("export", imported)
    assert (code, "no lif.nir for other NIR tools: it holds a float network" in out) == (0, True)
    assert not (imported / "lif.nir").exists()


def test_a_real_valued_file_that_shows_one_frame_is_imported(run: Path, tmp_path: Path, cli: Cli):
    assert cli("export", run)[0] == 0
    options = ("--time-steps", "4", "--calibrate", images(tmp_path))
    code, out, _ = cli("import", run / "lif.nir", tmp_path / "new", *options, "--json")
    assert (code, json.loads(out)["static"]) == (0, True)
    assert cli("simulate", tmp_path / "new", "--inputs", images(tmp_path))[0] == 0
    assert "no config.json" in refused(cli, "summary", tmp_path / "new")


OWN = """
import torch, arlif
from arlif.base.lock import LOCK
from arlif import layers
from size import FEATURES

def build():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        layers.Flatten(), layers.Linear(64, FEATURES), layers.Repeat(3), arlif.ARLIF(),
        layers.Linear(FEATURES, 10),
    )

def number():
    return 5

def fails():
    return {}["weights"]
"""


def test_a_module_of_ones_own_becomes_a_run(tmp_path: Path, cli: Cli):
    (tmp_path / "mine.py").write_text(OWN)
    (tmp_path / "size.py").write_text("FEATURES = 6")
    run, inputs = tmp_path / "run", images(tmp_path)
    options = ("--calibrate", inputs, "--time-steps", "3")
    for function, complaint in (
        ("number", "returns int, not a torch.nn.Module"),
        ("fails", "KeyError: 'weights'"),
        ("nothing", "has no function 'nothing'"),
    ):
        assert complaint in refused(cli, "import", tmp_path / f"mine.py:{function}", run, *options)
    assert "no file" in refused(cli, "import", tmp_path / "other.py:build", run, *options)
    build = tmp_path / "mine.py:build"
    assert "give --time-steps T and --calibrate" in refused(cli, "import", build, run)
    without = refused(cli, "import", build, run, *options[:2])
    assert "give --time-steps T\n" in without
    assert "inputs" not in without.replace(str(inputs), "")
    assert "no file" in refused(cli, "import", tmp_path / "other.py:build", run)
    assert "--dt" in refused(cli, "import", build, run, *options, "--dt", "1e-4")
    assert not run.exists()
    code, out, _ = cli("import", build, run, *options, "--json")
    assert (code, json.loads(out)["neurons"]) == (0, 6)
    assert cli("export", run)[0] == 0
    for engine in ("integer", "onnx", "float"):
        assert cli("simulate", run, "--engine", engine, "--inputs", inputs)[0] == 0
    assert cli("compare", run, "--got", "onnx")[0] == 0
    assert cli("report", run)[0] == 0
    report = json.loads((run / "report.json").read_text())
    assert report["raster"]
    assert report["membrane"] == {}  # its potentials have a unit that no file names


def test_an_imported_network_has_a_report(imported: Path, tmp_path: Path, cli: Cli):
    labels = save(tmp_path / "labels.npy", np.arange(5))
    files = ("--inputs", images(tmp_path), "--labels", labels)
    assert cli("simulate", imported, *files)[0] == 0
    assert cli("energy", imported)[0] == 0
    assert cli("report", imported)[0] == 0
    content = json.loads((imported / "report.json").read_text())
    assert (content["recipe"], content["training"]) == (None, None)
    assert content["engines"][0]["samples"] == 5
    assert "An imported network" in (imported / "report.html").read_text()
