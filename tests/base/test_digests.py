"""The notes of a folder: what is refused, and what a change of each file is called."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arlif.base.digests import (
    DIGESTS,
    Digests,
    Entry,
    digests_of,
    read_digests,
    write_digests,
)
from arlif.base.errors import FormatError


def noted(folder: Path) -> dict[str, Entry]:
    """Three files, each made from the one before; the second may be edited and has one beside."""
    for name in ("a", "b", "beside", "c"):
        (folder / name).write_text(f"content of {name}")
    first = Entry("verb a", digests_of(folder, ["a"]), {})
    second = Entry("verb b", digests_of(folder, ["b", "beside"]), {"a": first.digest}, True)
    third = Entry("verb c", digests_of(folder, ["c"]), {"b": second.digest})
    entries = {"a": first, "b": second, "c": third}
    write_digests(folder, entries)
    return entries


def said(folder: Path, name: str) -> str | None:
    """What is wrong with a file: which one, and how."""
    trouble = Digests(folder, read_digests(folder) or {}).trouble(name, "verb")
    return trouble and f"{trouble.name} {trouble.reason}; {trouble.verb}; {trouble.damaged}"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_digests(tmp_path) is None
    entries = noted(tmp_path)
    assert read_digests(tmp_path) == entries
    assert [said(tmp_path, name) for name in "abc"] == [None, None, None]


@pytest.mark.parametrize(
    ("name", "a", "c"),
    [
        ("a", "a was damaged or changed after it was written; verb a; True", None),
        ("b", None, "c was made from another b; verb c; False"),
        ("beside", None, "c was made from another b; verb c; False"),
        ("c", None, "c was damaged or changed after it was written; verb c; True"),
    ],
)
def test_a_change_is_found_in_all_that_was_made_of_it(
    tmp_path: Path, name: str, a: str | None, c: str | None
) -> None:
    noted(tmp_path)
    (tmp_path / name).write_text("other content")
    assert said(tmp_path, "a") == a
    assert said(tmp_path, "b") == a
    assert said(tmp_path, "c") == (a or c)


def test_what_lacks_is_named(tmp_path: Path) -> None:
    entries = noted(tmp_path)
    assert said(tmp_path, "d") == f"d is none that {tmp_path / DIGESTS} knows; verb; False"
    (tmp_path / "b").unlink()
    assert said(tmp_path, "c") == "b is missing; verb b; False"
    write_digests(tmp_path, {"c": entries["c"]})
    assert said(tmp_path, "c") == "c was made from a b that the run holds no more; verb c; False"


def test_files_that_are_made_anew_leave_others_behind(tmp_path: Path) -> None:
    entries = noted(tmp_path)
    (tmp_path / "a").write_text("made anew")
    write_digests(tmp_path, entries | {"a": Entry("verb a", digests_of(tmp_path, ["a"]), {})})
    assert said(tmp_path, "c") == "b was made from another a; verb b; False"


@settings(max_examples=200)
@given(st.data())
def test_no_damage_to_the_notes_is_believed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("notes")
    entries = noted(folder)
    whole = bytearray((folder / DIGESTS).read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    (folder / DIGESTS).write_bytes(bytes(whole[: data.draw(st.integers(at, len(whole)))]))
    with suppress(FormatError):
        assert read_digests(folder) == entries


def test_notes_in_a_circle_are_refused(tmp_path: Path) -> None:
    noted(tmp_path)
    circle = {n: Entry("verb", digests_of(tmp_path, [n]), {m: "0"}) for n, m in ("ab", "ba")}
    write_digests(tmp_path, circle)
    with pytest.raises(FormatError, match="in a circle"):
        read_digests(tmp_path)


def test_notes_of_a_later_version_are_refused(tmp_path: Path) -> None:
    noted(tmp_path)
    content = json.loads((tmp_path / DIGESTS).read_text())
    (tmp_path / DIGESTS).write_text(json.dumps(content | {"version": 2}))
    with pytest.raises(
        FormatError, match="is of version 2, this arlif knows 1; take the arlif that"
    ):
        read_digests(tmp_path)
