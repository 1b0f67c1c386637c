"""arlif vectors and compare --foreign, as users call them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.command_line import Cli
from support.hardware_chip import chip
from support.noted import note
from support.small_runs import images, refused

from hw_sim.pipeline import compare_foreign_run


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of a small run."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_a_hardware_team_gets_vectors_and_is_told_what_is_wrong(run: Path, cli: Cli) -> None:
    code, out, _ = cli("vectors", run, "--samples", "3", "--json")
    assert code == 0
    result = json.loads(out)
    folder = run / "vectors"
    assert (result["samples"], result["folder"]) == (3, str(folder))
    traces = run / "traces.npz"
    for fault, part in (("", ""), ("gain", "gain/bias fault"), ("neuron", "neuron fault")):
        chip().main(str(folder), str(traces), fault)
        code, out, _ = cli("compare", run, "--foreign", traces)
        assert (code, "0 of" in out) == ((1, False) if fault else (0, True))
        assert part in out
    code, out, _ = cli("compare", run, "--foreign", traces, "--json")
    assert code == 1
    assert json.loads(out) == json.loads(json.dumps(compare_foreign_run(run, traces)))
    name = result["arrays"].keys() & {"neuron1.spikes", "1.spikes"} or {
        n for n in result["arrays"] if n.endswith(".spikes")
    }
    spikes = np.load(folder / f"{min(name)}.npy")
    spikes[1, 0, 0, 2, 3] ^= 1
    np.savez(run / "few.npz", **{min(name): spikes[:, :2]})
    code, out, _ = cli("compare", run, "--foreign", run / "few.npz")
    assert code == 1
    layer = min(name).partition(".")[0]
    assert f"sample 0, layer {layer}, step 1, neuron (0, 2, 3): spikes should be" in out
    assert f"not given, and so not compared: input, {layer}.accumulator" in out


def test_the_inputs_may_be_ones_own_and_the_folder_too(run: Path, tmp_path: Path, cli: Cli) -> None:
    out, own = tmp_path / "elsewhere", images(tmp_path)
    assert cli("vectors", run, "--samples", "2", "--inputs", own, "--out", out)[0] == 0
    assert not (run / "vectors").exists()
    assert "has no vectors/vectors.json; write it with: arlif vectors" in refused(
        cli, "compare", run, "--foreign", out
    )
    code, said, _ = cli("compare", run, "--foreign", out, "--vectors", out)
    assert (code, "2 samples" in said) == (0, True)
    scale = json.loads((out / "vectors.json").read_text())["arrays"]["input"]["scale"]
    want = np.load(own)[0, :2]
    np.testing.assert_allclose(np.load(out / "input.npy") * scale, want, atol=scale)


def test_what_is_wrong_is_one_line(run: Path, tmp_path: Path, cli: Cli) -> None:
    assert "there is no run in" in refused(cli, "vectors", _empty(tmp_path))
    (tmp_path / "file").write_text("in the way")
    assert "cannot write" in refused(cli, "vectors", run, "--out", tmp_path / "file")
    assert cli("vectors", run, "--samples", "1")[0] == 0
    for words, rule in (
        (("--foreign", run / "none.npz"), "cannot read"),
        (("--foreign", run / "model.pt"), "there is no array"),
        (("--foreign", run / "config.json"), "is neither a folder nor an .npz file"),
        (("--foreign", run / "vectors", "--got", "onnx"), "leave out --want and --got"),
        (("--vectors", run / "vectors"), "--vectors belongs to --foreign"),
    ):
        assert rule in refused(cli, "compare", run, *words)
    assert "ask for fewer samples" in refused(cli, "vectors", run, "--samples", "10000000")


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("vectors.json", "[]", "cannot read"),
        ("vectors.json", '{"network": "another", "samples": 1}', "is of another network"),
        ("input.npy", "text", "is no .npy"),
        ("input.npy", None, "No such file"),
    ],
)
def test_damaged_vectors_are_refused(run: Path, cli: Cli, name, content, rule) -> None:
    assert cli("vectors", run, "--samples", "1")[0] == 0
    shutil.copytree(run / "vectors", run / "copy")
    path = run / "vectors" / name
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    compare = ("compare", run, "--foreign", run / "copy")
    assert "vectors.json was damaged or changed" in refused(cli, *compare)
    note(run, "vectors/vectors.json")
    assert rule in refused(cli, *compare)


def test_an_input_that_was_changed_accuses_no_implementation(
    run: Path, tmp_path: Path, cli: Cli
) -> None:
    """Of vectors in a folder of their own, whose digests nobody has noted."""
    out, compare = tmp_path / "out", ("compare", run, "--foreign", tmp_path / "foreign")
    assert cli("vectors", run, "--samples", "1", "--out", out)[0] == 0
    shutil.copytree(out, tmp_path / "foreign")
    (tmp_path / "foreign" / "input.npy").unlink()
    assert cli(*compare, "--vectors", out)[0] == 0
    inputs = np.load(out / "input.npy")
    inputs.flat[0] ^= 1
    np.save(out / "input.npy", inputs)
    assert "input.hex hold different numbers" in refused(cli, *compare, "--vectors", out)
    (out / "input.hex").unlink()
    assert cli(*compare, "--vectors", out)[0] == 1


def _empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"
