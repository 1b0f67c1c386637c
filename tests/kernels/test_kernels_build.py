"""The compiled library: built once, never a damaged one, and where compilers or caches lack."""

import logging
import os
import subprocess
import sys

import pytest
import torch
from support.kernel_oracle import arlif

from arlif.base.errors import ArlifError
from arlif.kernels import build
from arlif.kernels.compiler import CHOICES

needs_library = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")
WRITE = 'all="$*"; for last; do :; done; echo "${all%% -I*}" > "$last"'
"""What a shell script does to be a compiler whose libraries are its own options.

Without those behind the temporary folder of what was printed.
"""


@pytest.fixture
def folder(monkeypatch, tmp_path, caplog):
    """An empty cache, a compiler that writes its own options, and warnings in caplog."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    _compiler(monkeypatch, tmp_path, WRITE)
    caplog.set_level(logging.WARNING)
    build.library.cache_clear()
    yield tmp_path / "cache" / "arlif"
    build.library.cache_clear()


def _compiler(monkeypatch, folder, script):
    (folder / "compiler.sh").write_text(script)
    monkeypatch.setenv("CXX", f"sh '{folder / 'compiler.sh'}' -DMINE")


def test_without_a_compiler_the_loop_runs_and_one_warning_says_so(folder, monkeypatch, caplog):
    x = torch.randn(3, 2, 5)
    build.library.cache_clear()
    monkeypatch.setenv("PATH", "")
    results = [arlif()(x) for _ in range(3)]
    assert len(caplog.records) == 1
    assert "there is no C++ compiler" in caplog.text
    monkeypatch.undo()
    build.library.cache_clear()
    assert all(torch.equal(result, arlif()(x)) for result in results)


@needs_library
def test_two_processes_may_build_at_once_and_others_need_no_compiler(tmp_path):
    quick = "from arlif.kernels import build; build.COMMON = (*build.COMMON, '-O0'); "
    command = [sys.executable, "-c", f"{quick}build.build()"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    processes = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(2)
    ]
    complaints = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], complaints
    assert len(list((tmp_path / "arlif").iterdir())) == 1
    use = f"{quick}assert build.library().arlif_event_count"
    environment |= {"PATH": "", "CXX": "gone"}
    subprocess.run([sys.executable, "-W", "error", "-c", use], env=environment, check=True)
    assert len(list((tmp_path / "arlif").iterdir())) == 1


@pytest.mark.parametrize("damage", [lambda good: good[:-1], lambda good: b"", lambda good: b"?"])
def test_a_damaged_library_is_compiled_again(folder, damage):
    path = build.build()
    good = path.read_bytes()
    path.write_bytes(damage(good))
    assert build.build().read_bytes() == good
    assert list(folder.iterdir()) == [path]


def test_a_good_library_is_compiled_once(folder, monkeypatch, caplog):
    path = build.build()
    monkeypatch.setenv("PATH", "")
    assert build.build() == path
    assert len(caplog.records) == 1
    assert "once" in caplog.text


def test_a_cache_that_cannot_be_written_costs_one_line(folder, caplog):
    folder.parent.write_text("a file where a folder should be")
    path = build.build()
    assert path.stat().st_size > 0
    assert not path.is_relative_to(folder)
    assert len(caplog.records) == 1
    assert "XDG_CACHE_HOME" in caplog.text


def test_options_of_the_compiler_are_passed_on(folder):
    assert build.build().read_text().startswith("-DMINE ")


@pytest.mark.parametrize("lacking", [("-fopenmp",), CHOICES[0]])
def test_the_line_says_what_the_compiler_lacks(lacking, folder, monkeypatch, tmp_path, caplog):
    refusal = "".join(f'case "$*" in *{flag}*) exit 1;; esac; ' for flag in lacking)
    _compiler(monkeypatch, tmp_path, refusal + WRITE)
    options = build.build().read_text()
    assert not any(flag in options for flag in lacking)
    assert len(caplog.records) == 1
    assert f"without {' and '.join(lacking)}" in caplog.text


def test_an_empty_library_is_not_kept(folder, monkeypatch):
    for stub in ("true", "false"):
        monkeypatch.setenv("CXX", stub)
        with pytest.raises(ArlifError, match=stub):
            build.build()
        assert not list(folder.iterdir())


def test_a_compiler_that_is_not_there_is_named(folder, monkeypatch, tmp_path, caplog):
    (tmp_path / "c++").write_text("#!/bin/sh\n" + WRITE)
    (tmp_path / "c++").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", "no-such-compiler -O1")
    assert build.build().exists()
    assert [("no-such-compiler" in record.message) for record in caplog.records] == [True, False]
