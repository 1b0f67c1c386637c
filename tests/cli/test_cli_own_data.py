"""Own data on the command line, on a run that was imported from a graph of another tool."""

import json
from pathlib import Path

import nir
import numpy as np
import pytest
from support.command_line import Cli
from support.nir_files import lif, write
from support.small_runs import refused, save

T, N = 6, 20
RNG = np.random.default_rng(0)


@pytest.fixture
def run(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path / "net.nir",
        None,
        input=nir.Input(np.array([4])),
        w=nir.Linear(RNG.normal(0, 2, (5, 4)).astype(np.float32)),
        lif=lif(5),
        head=nir.Linear(RNG.normal(0, 1, (3, 5)).astype(np.float32)),
        output=nir.Output(np.array([3])),
    )
    x = (RNG.random((T, N, 4)) < 0.5).astype(np.float32)
    np.savez("xy.npz", inputs=x, labels=np.arange(N) % 3)
    save(Path("x.npy"), x)
    options = ("--dt", "1e-4", "--time-steps", T, "--calibrate", "x.npy")
    assert cli("import", "net.nir", "run", *options)[0] == 0
    return Path("run")


def test_every_verb_takes_them(run: Path, cli: Cli) -> None:
    own = ("--inputs", "xy.npz")
    accuracy = {}
    for engine in ("float", "integer"):
        assert cli("simulate", run, "--engine", engine, *own)[0] == 0
        code, out, _ = cli("evaluate", run, "--engine", engine, *own, "--json")
        assert code == 0
        accuracy[engine] = json.loads(out)["accuracy"]
        figures = json.loads((run / "traces" / f"{engine}.json").read_text())
        assert figures["accuracy"] == accuracy[engine]
    code, out, _ = cli("compare", run, "--want", "float", "--got", "integer")
    assert (code, "decisions changed: " in out) == (0, True)
    assert cli("energy", run)[0] == 0
    assert cli("check", run)[0] == 0
    code, out, _ = cli("calibrate", run, *own, "--samples", "8")
    assert (code, "of 8" in out) == (0, True)
    code, out, _ = cli("quantize", run, *own)
    assert (code, f"{N} own samples" in " ".join(out.split())) == (0, True)
    assert f"accuracy {100 * accuracy['float']:.2f} % in float" in out
    code, out, _ = cli("quantize", run, "--qat", "1", "--preset", "loihi24", *own)
    assert (code, "4 held-out samples" in " ".join(out.split())) == (0, True)
    points = ("--weight-bits", "8", "--time-steps", "2")
    assert cli("sweep", run, *own, *points)[0] == 0
    assert cli("export", run, "--float")[0] == 0
    assert cli("report", run)[0] == 0
    report = json.loads((run / "report.json").read_text())
    assert report["quantization"]["judged_on"] == "held-out"
    assert cli("quantize", run, "--inputs", "x.npy")[0] == 0
    assert cli("report", run)[0] == 0, "no accuracy is known now"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("evaluate",), "run was not trained here, so there is no test split; give --inputs with"),
        (
            ("evaluate", "--labels", "y.npy"),
            "labels y.npy belong to inputs of your own; give --inp",
        ),
        (("evaluate", "--inputs", "x.npy"), "accuracy needs the class of every sample"),
        (
            ("evaluate", "--inputs", "no.npy"),
            "there is no no.npy; own data are a .npy or .npz file",
        ),
        (("sweep", "--inputs", "x.npy", "--data", "."), "need no dataset; give --inputs or --data"),
        (("quantize", "--qat", "1"), "so there is no test split; give --inputs with"),
        (("simulate", "--inputs", "net.nir"), "net.nir is not a readable .npy file"),
        (("calibrate", "--inputs", "my.py:data"), "there is no file my.py"),
    ],
)
def test_what_is_missing_is_one_line(
    run: Path, cli: Cli, words: tuple[str, ...], complaint: str
) -> None:
    before = sorted(run.rglob("*"))
    assert complaint in refused(cli, words[0], run, *words[1:])
    assert sorted(run.rglob("*")) == before


@pytest.mark.parametrize(
    "words",
    [
        ("simulate",),
        ("verify", "--engine", "integer"),
        ("evaluate",),
        ("evaluate", "--engine", "integer"),
        ("quantize",),
        ("quantize", "--qat", "1"),
        ("sweep",),
    ],
    ids=" ".join,
)
def test_folders_of_fewer_classes_than_the_network_tells_are_refused(
    run: Path, cli: Cli, words: tuple[str, ...]
) -> None:
    """Their labels would count from 0 where the network's leave a class out."""
    for name in ("circle", "star") * 4:
        Path("two", name).mkdir(parents=True, exist_ok=True)
        save(Path("two", name, f"{len(list(Path('two', name).iterdir()))}.npy"), np.zeros((T, 4)))
    said = refused(cli, words[0], run, *words[1:], "--inputs", "two")
    assert "two has 2 folders of classes (circle, star), and the network tells 3" in said
    Path("two", "square").mkdir()
    if words[0] == "simulate":
        assert cli(*words, run, "--inputs", "two")[0] == 0


def test_a_folder_without_samples_says_what_they_are(run: Path, cli: Cli) -> None:
    Path("pictures").mkdir()
    Path("pictures", "a.png").write_bytes(b"")
    said = refused(cli, "simulate", run, "--inputs", "pictures")
    assert "pictures holds no samples; give .npy or .npz files" in said
