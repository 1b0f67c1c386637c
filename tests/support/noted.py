"""Files of a run that another version of arlif, or a hand, might have written as whole ones."""

from dataclasses import replace
from pathlib import Path

from arlif.base.digests import digests_of, read_digests, write_digests


def note(run: Path, *names: str) -> None:
    """Let digests.json say that files are as their verbs wrote them."""
    entries = dict(read_digests(run) or {})
    for name in names:
        entries[name] = replace(entries[name], files=digests_of(run, entries[name].files))
    write_digests(run, entries)


def note_with_followers(run: Path, name: str) -> None:
    """`note`, and what was made from the file as it was is made from it as it is."""
    note(run, name)
    entries = dict(read_digests(run) or {})
    for other, entry in entries.items():
        if name in entry.made_from:
            made_from = entry.made_from | {name: entries[name].digest}
            entries[other] = replace(entry, made_from=made_from)
    write_digests(run, entries)
