"""What is kept beside a dataset: read again while its files stay as they are, else made anew."""

import errno
import os

import numpy as np
import pytest

from arlif.base.errors import ArlifError
from arlif.data.cache import cached

KEPT = "frames/some-set/train-" + "?" * 16 + ".npy"


def never():
    raise AssertionError("made again although kept")


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "some-set"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_bytes(b"old")
    return [folder / "a", folder / "b"]


def keep(files, make, name="train"):
    return cached(files[0].parent, name, files, make)


def test_an_array_is_kept_and_read_again(files):
    first = keep(files, lambda: np.arange(3, dtype=np.uint8))
    assert np.array_equal(keep(files, never), first)


def rewrite(files):
    files[0].write_bytes(b"longer")


def replace_by_one_of_the_same_size(files):
    os.utime(files[0], ns=(1, 1))


def rename(files):
    files[1] = files[1].rename(files[1].with_name("c"))


def cut_the_kept_array(files):
    (kept,) = files[0].parents[1].glob(KEPT)
    kept.write_bytes(kept.read_bytes()[:-1])


@pytest.mark.parametrize(
    "change", [rewrite, replace_by_one_of_the_same_size, rename, cut_the_kept_array]
)
def test_changed_files_are_read_again_and_the_old_array_goes(files, change):
    keep(files, lambda: np.zeros(3, np.uint8))
    keep(files, lambda: np.zeros(3, np.uint8), "train-more")
    change(files)
    assert keep(files, lambda: np.ones(3, np.uint8)).tolist() == [1, 1, 1]
    assert keep(files, never).tolist() == [1, 1, 1]
    assert len(list(files[0].parents[1].glob(KEPT))) == 1


def test_a_missing_file_is_named(files):
    files[0].unlink()
    with pytest.raises(ArlifError, match=r"cannot read .*some-set/a \(.*No such file"):
        keep(files, never)


def test_where_nothing_can_be_kept_the_array_is_made_every_time(files, monkeypatch):
    monkeypatch.setattr(np, "save", disk_full)
    for value in (1, 2):
        assert keep(files, lambda value=value: np.full(1, value, np.uint8)).tolist() == [value]
    assert not list(files[0].parents[1].glob("frames/some-set/*"))


def disk_full(file, array):
    raise OSError(errno.ENOSPC, "No space left on device")
