"""A run has one writer at a time: the second verb is told who holds it, and writes nothing."""

import json
import shutil
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock, Timeout
from support.command_line import Cli, exit_code
from support.folder_holder import another_process
from support.small_runs import POINT, SMALL

from arlif.base.lock import LOCK

WRITERS = (
    ("train", "RUN", "--overwrite", *SMALL),
    ("quantize", "RUN"),
    ("export", "RUN"),
    ("simulate", "RUN", "--samples", "2"),
    ("compare", "RUN"),
    ("energy", "RUN"),
    ("sweep", "RUN", "--weight-bits", "8", "--time-steps", "2"),
    ("report", "RUN"),
    ("vectors", "RUN"),
    ("resources", "RUN"),
    ("verify", "RUN"),
)
READERS = (("check", "RUN"), ("map", "RUN"))


@pytest.fixture(scope="module")
def held(trained: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = Path(shutil.copytree(trained, tmp_path_factory.mktemp("held") / "run"))
    with another_process(folder) as other:
        yield folder, other.pid


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("verb", WRITERS, ids=lambda verb: verb[0])
def test_a_second_writer_is_refused_and_changes_nothing(held, cli: Cli, verb):
    folder, process = held
    before = content(folder)
    code, out, err = cli(*(folder if word == "RUN" else word for word in verb))
    assert (code, out) == (2, "")
    assert f"is in use by arlif sweep (process {process}, since" in err
    assert content(folder) == before


@pytest.fixture(scope="module")
def simulated(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that every verb can go on from."""
    run = Path(shutil.copytree(exported, tmp_path_factory.mktemp("simulated") / "run"))
    for engine in ("integer", "onnx"):
        assert exit_code("simulate", run, "--engine", engine, "--samples", "4") == 0
    return run


HOLDERS = (
    ("train", "RUN", "--overwrite", *SMALL),
    ("train", "RUN", "--resume"),
    ("quantize", "RUN", "--samples", "9"),
    ("export", "RUN", "--c"),
    ("simulate", "RUN", "--samples", "2"),
    ("compare", "RUN", "--got", "onnx"),
    ("energy", "RUN"),
    ("sweep", "RUN", *POINT, "--samples", "8"),
    ("report", "RUN"),
    ("vectors", "RUN", "--samples", "1"),
    ("verify", "RUN", "--engine", "onnx", "--samples", "4"),
    ("ablate", "NEW", *SMALL, "--neurons", "lif-hard", "--seeds", "1"),
    ("import", "RUN/network.net", "NEW"),
    ("vectors", "RUN", "--samples", "1", "--out", "NEW"),
)


def is_held(lock: Path) -> bool:
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True


@pytest.mark.parametrize("verb", HOLDERS, ids=lambda verb: " ".join(verb[:3:2]))
def test_whoever_writes_holds_the_folder(
    simulated: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, verb
):
    """So that a second writer is refused, whichever verb came first."""
    run = Path(shutil.copytree(simulated, tmp_path / "run"))
    places = {"RUN": str(run), "NEW": str(tmp_path / "new")}
    original, written, free = tempfile.mkstemp, [], []

    def looked_at(suffix: str, prefix: str, folder: Path) -> tuple[int, str]:
        if tmp_path in folder.parents:
            written.append(prefix)
            locks = [
                place / LOCK for place in (folder, *folder.parents) if tmp_path in place.parents
            ]
            if not any(is_held(lock) for lock in locks if lock.exists()):
                free.append(prefix)
        return original(suffix, prefix, folder)

    monkeypatch.setattr(tempfile, "mkstemp", looked_at)
    words = [word.replace("RUN", places["RUN"]).replace("NEW", places["NEW"]) for word in verb]
    assert cli(*words)[0] == 0
    assert written
    assert not free


def test_two_writers_of_vectors_into_one_folder_do_not_mix(
    simulated: Path, tmp_path: Path, cli: Cli
):
    with another_process(tmp_path / "out"):
        code, _, err = cli("vectors", simulated, "--samples", "1", "--out", tmp_path / "out")
        assert (code, "is in use by" in err) == (2, True), err
        assert not list((tmp_path / "out").glob("*.npy"))


def test_an_import_into_a_run_that_is_held_is_refused(exported: Path, tmp_path: Path, cli: Cli):
    with another_process(tmp_path / "run"):
        code, _, err = cli("import", exported / "network.net", tmp_path / "run")
        assert code == 2
        assert "is in use by" in err
        assert not (tmp_path / "run" / "network.nir").exists()


def test_ablations_in_one_folder_share_the_runs_and_write_one_table(tmp_path: Path, cli: Cli):
    table = tmp_path / "table"
    words = ("ablate", table, *SMALL, "--neurons", "lif-hard,lif-soft", "--seeds", "1")
    with another_process(table / "lif-hard-1") as other:
        code, _, err = cli(*words)
        assert code == 2
        assert "others train lif-hard-1; start the same command again when they have" in err
        trained = (table / "lif-soft-1" / "training.json").read_bytes()
        assert sorted(path.name for path in table.iterdir()) == ["lif-hard-1", "lif-soft-1"]
        assert other.poll() is None
    with another_process(table):
        code, _, err = cli(*words)
        assert (code, "is in use by" in err) == (2, True), err
        assert not (table / "ablation.json").exists()
    assert cli(*words)[0] == 0
    assert (table / "lif-soft-1" / "training.json").read_bytes() == trained
    assert [row["neuron"] for row in json.loads((table / "ablation.json").read_text())] == [
        "lif-hard",
        "lif-soft",
    ]


@pytest.mark.parametrize("verb", READERS, ids=lambda verb: verb[0])
def test_who_only_reads_waits_for_nobody(held, cli: Cli, verb):
    folder, _ = held
    assert cli(*(folder if word == "RUN" else word for word in verb))[0] == 0


def test_a_verb_on_a_missing_run_makes_no_folder(tmp_path: Path, cli: Cli):
    for verb in ("quantize", "export", "simulate", "compare", "energy", "sweep", "report"):
        code, _, err = cli(verb, tmp_path / "none")
        assert code == 2
        assert "there is no run" in err
    assert list(tmp_path.iterdir()) == []
