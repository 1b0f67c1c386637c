"""One process writes into a folder; the second is told who does, and a dead one holds nothing."""

import os
import signal
import subprocess
import sys
import time

import pytest
from support.folder_holder import HOLD, another_process

from arlif.base.errors import ArlifError, WriteError
from arlif.base.lock import HOLDER, only_writer


def test_the_second_is_told_who_holds_the_folder_since_when(tmp_path):
    before = time.strftime("%Y-%m-%dT%H", time.gmtime())
    with another_process(tmp_path / "run") as other:
        for _ in range(2):  # being refused leaves what the next one is told
            with (
                pytest.raises(
                    ArlifError,
                    match=rf"run is in use by arlif sweep \(process {other.pid}, since {before}",
                ),
                only_writer(tmp_path / "run", "train"),
            ):
                raise AssertionError


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_died_holds_nothing(tmp_path, how):
    with another_process(tmp_path) as other:
        os.kill(other.pid, how)
        other.wait()
        assert (tmp_path / HOLDER).exists()
        with only_writer(tmp_path, "train"):
            assert f'"process": {os.getpid()}' in (tmp_path / HOLDER).read_text()


def test_one_process_may_hold_a_folder_twice_and_leaves_nothing_that_is_believed(tmp_path):
    with only_writer(tmp_path, "demo"):
        with only_writer(tmp_path, "train"):
            pass
        assert '"verb": "demo"' in (tmp_path / HOLDER).read_text()
        assert refused(tmp_path)
    assert not (tmp_path / HOLDER).exists()
    assert not refused(tmp_path)


def refused(folder):
    """Whether another process may not hold a folder."""
    hold = HOLD.replace("time.sleep(100)", "pass")
    done = subprocess.run([sys.executable, "-c", hold, str(folder)], capture_output=True)
    return done.returncode != 0


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(WriteError, match=r"cannot write into .*file"),
        only_writer(tmp_path / "file", "train"),
    ):
        raise AssertionError
