"""What is written as JSON, and what is not."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from arlif.base.errors import ArlifError, WriteError
from arlif.base.files import (
    atomic_path,
    json_text,
    read_json,
    read_toml,
    toml_content,
    write_files,
    write_text,
)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_lacks_are_told(number: float):
    with pytest.raises(ArlifError, match="infinite or none"):
        json_text({"a": [1.0, number]})


def test_other_errors_of_json_are_not_called_numbers():
    ring: list[object] = []
    ring.append(ring)
    with pytest.raises(ValueError, match="Circular") as found:
        json_text(ring)
    assert not isinstance(found.value, ArlifError)


def test_files_are_written_all_or_none_the_last_one_last(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("stays")
    write_files(tmp_path, {"part/a.h": "a", "b.c": "b"})
    assert (tmp_path / "part" / "a.h").read_text() == "a"
    assert (tmp_path / "b.c").stat().st_mtime_ns >= (tmp_path / "part" / "a.h").stat().st_mtime_ns
    (tmp_path / "d").mkdir()
    with pytest.raises(WriteError, match="cannot write"):
        write_files(tmp_path, {"b.c": "new", "d": "a folder of that name is in the way"})
    assert (tmp_path / "mine").read_text() == "stays"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.c", "d", "mine", "part"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_an_error_keeps_the_number_of_its_reason(tmp_path: Path, number: int) -> None:
    with pytest.raises(WriteError) as caught, atomic_path(tmp_path / "a"):
        raise OSError(number, "")
    assert caught.value.errno == number


def test_nothing_is_replaced_where_one_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "x").write_text("a file where a folder should be")
    with pytest.raises(WriteError, match="cannot write"):
        write_files(tmp_path, {"a": "new", "x/b": "b"})
    assert (tmp_path / "a").read_text() == "old"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "b": {"c": 2, "c": 2}}', "'c' stands more than once"),
        ("[NaN]", "NaN is no finite number"),
        ("[-Infinity]", "no finite number"),
        ("[1e999]", "1e999 is no finite number"),
        ("[18446744073709551616]", "beyond 64 bits"),
        ("1" * 5000, "limit"),
        ("[" * 65 + "]" * 65, "nested deeper than 64"),
        ('{"a":' * 100_000, "nested deeper than 64"),
        ("{", "Expecting property name"),
        ("\ufeff{}", "BOM"),
        ("", "Expecting value"),
    ],
)
def test_json_that_readers_could_take_for_different_things(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(ArlifError, match=reason):
        read_json(tmp_path / "a.json")


def test_json_that_all_readers_take_for_the_same(tmp_path: Path) -> None:
    content = {"a": [1, -(1 << 63), (1 << 64) - 1, 1.5, None, True, "\u00e9"], "b": {"a": {}}}
    for _ in range(61):
        content = {"a": content}
    write_text(tmp_path / "a.json", json_text(content))
    assert read_json(tmp_path / "a.json") == content
    (tmp_path / "b.json").write_bytes(b'"\xff"')
    with pytest.raises(ArlifError, match="can't decode"):
        read_json(tmp_path / "b.json")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "c.json")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("x =", "Invalid value"), ("x = " + "[" * 5000, "too deep"), ("x = " + "9" * 5000, "limit")],
)
def test_toml_that_is_none(text: str, reason: str) -> None:
    with pytest.raises(ArlifError, match=reason):
        toml_content(text)


@pytest.mark.parametrize("read", [read_json, read_toml])
def test_a_pipe_is_no_file_to_wait_for(tmp_path: Path, read: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ArlifError, match="it is no file"):
            read(path)
