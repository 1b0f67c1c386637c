"""arlif data: what is listed and checked."""

import json
import os
import subprocess
import sys
import wave

import numpy as np
import pytest
from typer.testing import CliRunner

from arlif import data
from arlif.data import images
from hw_sim.cli.data import app


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def cifar(tmp_path):
    """A part of CIFAR-10: thirty images in every file."""
    folder = tmp_path / "cifar10"
    folder.mkdir()
    rows = np.zeros((30, 3073), np.uint8)
    rows[:, 0] = np.arange(30) % 10
    for file in images.CIFAR10_BINARY:
        rows.tofile(folder / file)
    return folder


def test_list_says_which_datasets_are_here(cifar, tmp_path):
    listed = {
        row["name"]: row for row in json.loads(run("list", "--data", tmp_path, "--json").stdout)
    }
    assert list(listed) == list(data.names())
    assert listed["cifar10"]["here"] == [150, 30]
    assert listed["cifar10"]["samples"] == [50_000, 10_000]
    assert listed["digits"]["here"] == [1347, 450]
    assert listed["nmnist"]["here"] is None


def test_list_goes_on_past_a_damaged_dataset(cifar, tmp_path):
    (cifar / "test_batch.bin").write_bytes(b"cut")
    listed = {
        row["name"]: row for row in json.loads(run("list", "--data", tmp_path, "--json").stdout)
    }
    assert listed["cifar10"]["here"] == "damaged; see arlif data check cifar10"


def test_list_in_words(cifar, tmp_path):
    command = [sys.executable, "-m", "arlif", "data", "list", "--data", str(tmp_path)]
    wide = {**os.environ, "COLUMNS": "200"}  # a console takes its width when it is imported
    shown = subprocess.run(command, env=wide, capture_output=True, text=True, check=True).stdout
    assert "150 of 50,000" in shown
    assert "1,347 / 450 images" in shown


def write_nmnist(place):
    for part in ("Train", "Test"):
        for digit in range(10):
            folder = place / "nmnist" / part / str(digit)
            folder.mkdir(parents=True)
            (folder / "1.bin").write_bytes(bytes(50))
            (folder / "2.bin").write_bytes(bytes(50))


def test_check_of_many_files_shows_the_wrong_ones_and_the_samples(tmp_path):
    write_nmnist(tmp_path)
    done = run("check", "nmnist", "--data", tmp_path)
    assert done.exit_code == 0
    assert "20 of 60,000 / 20 of 10,000 recordings" in done.stdout
    assert "20 without a known checksum" in done.stdout
    data.store.write_manifest(tmp_path / "nmnist")
    assert "state" not in run("check", "nmnist", "--data", tmp_path).stdout
    (tmp_path / "nmnist" / "Test" / "3" / "2.bin").unlink()
    done = run("check", "nmnist", "--data", tmp_path)
    assert done.exit_code == 2
    assert "Test/3/2.bin" in done.stdout
    assert "Test/3/1.bin" not in done.stdout
    assert "1 wrong" in done.stdout
    assert f"arlif data get nmnist --data {tmp_path}" in done.stdout.replace("\n", "")


def test_list_marks_images_that_were_cut_off(tmp_path):
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    for file, count in zip(images.IDX_IMAGES + images.IDX_LABELS, (30, 20, 30, 20), strict=True):
        image = file in images.IDX_IMAGES
        sizes = (count, 28, 28) if image else (count,)
        header = bytes([0, 0, 8, len(sizes)]) + np.array(sizes, ">u4").tobytes()
        (folder / file).write_bytes(header + bytes(int(np.prod(sizes))))
    assert data.count("fashion-mnist", tmp_path) == (30, 20)
    last = folder / images.IDX_IMAGES[1]
    last.write_bytes(last.read_bytes()[:-1])
    listed = json.loads(run("list", "--data", tmp_path, "--json").stdout)
    (here,) = [row["here"] for row in listed if row["name"] == "fashion-mnist"]
    assert here == "damaged; see arlif data check fashion-mnist"


def test_check_opens_files_that_nothing_vouches_for(tmp_path):
    write_nmnist(tmp_path)
    states = json.loads(run("check", "nmnist", "--data", tmp_path, "--json").stdout)
    assert {state["verified"] for state in states} == {False}
    damaged = tmp_path / "nmnist" / "Train" / "7" / "1.bin"
    damaged.write_bytes(bytes(7))
    done = run("check", "nmnist", "--data", tmp_path)
    assert done.exit_code == 2
    assert "1 wrong" in done.stdout
    states = json.loads(run("check", "nmnist", "--data", tmp_path, "--json").stdout)
    (wrong,) = [state for state in states if state["wrong"]]
    assert wrong["file"] == "Train/7/1.bin"
    assert "7 bytes are not whole events" in wrong["wrong"]
    damaged.write_bytes(bytes(50))
    data.store.write_manifest(tmp_path / "nmnist")
    states = json.loads(run("check", "nmnist", "--data", tmp_path, "--json").stdout)
    assert {state["verified"] for state in states} == {True}


def test_check_opens_files_that_the_manifest_lacks(tmp_path):
    write_nmnist(tmp_path)
    place = tmp_path / "nmnist"
    data.store.write_manifest(place)
    (place / "Train" / "7" / "3.bin").write_bytes(bytes(50))
    states = {state.file: state for state in data.check("nmnist", tmp_path)}
    assert not any(state.wrong for state in states.values())
    assert states["Train/6"].verified
    assert not states["Train/7"].verified
    (place / "Train" / "7" / "3.bin").write_bytes(bytes(7))
    (wrong,) = [state for state in data.check("nmnist", tmp_path) if state.wrong]
    assert wrong.file == "Train/7/3.bin"


def broken(*parts):
    def write(place):
        file = place.joinpath(*parts)
        file.parent.mkdir(parents=True)
        file.write_bytes(b"#broken")
        return "/".join(parts[1:])

    return write


@pytest.mark.parametrize(
    "damage",
    [
        broken("cifar10-dvs", "bird", "cifar10_bird_0.aedat"),
        broken("dvs128-gesture", "ibmGestureTest", "user01_led", "3.npy"),
        broken("shd", "shd_test.h5"),
        broken("cifar100", "test.bin"),
        broken("tiny-imagenet", "tiny-imagenet-200", "val", "images", "val_0.JPEG"),
    ],
)
def test_check_names_a_file_of_every_dataset_that_does_not_open(tmp_path, damage):
    file = damage(tmp_path)
    (folder,) = tmp_path.iterdir()
    wrong = {state.file: state.wrong for state in data.check(folder.name, tmp_path)}
    assert wrong[file].endswith(("get the dataset again", "get it again"))


def test_a_dataset_that_nothing_fetches_says_what_to_do(tmp_path):
    done = run("check", "fsdd", "--data", tmp_path)
    assert done.exit_code == 2
    folder = tmp_path / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    for number in range(2):
        with wave.open(str(folder / f"3_one_{number}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
            file.writeframes(bytes(80))
    done = run("check", "fsdd", "--data", tmp_path)
    assert done.exit_code == 0
    assert "1 without a known checksum: what is in them was not compared\n" in done.stdout
    assert "0 of 2,700 / 2 of 300 recordings" in done.stdout
    listed = json.loads(run("list", "--data", tmp_path, "--json").stdout)
    assert [row["here"] for row in listed if row["name"] == "fsdd"] == [[0, 2]]
