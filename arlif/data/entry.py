"""What the registry knows about a dataset."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from arlif.data.dataset import DatasetInfo
from arlif.data.fetch import Source
from arlif.data.splits import Loader

Probe = tuple[str, Callable[[Path], object]]
"""Files, by a pattern, and what raises ArlifError where one is damaged, without reading it all."""


@dataclass(frozen=True)
class Entry:
    """A dataset in the registry.

    count: how many samples lie in a folder, for training and for tests, without decoding them.
    alternatives: sources in the order they are tried, each a complete set. required: files that
    must be there, with their SHA-256 where it is known. prepare: brings what was fetched into the
    form that `load` reads. probes: for files that have no known SHA-256. packed: a file that may
    lie there in place of the required ones.
    """

    info: DatasetInfo
    load: Loader
    count: Callable[[Path], tuple[int, int]]
    alternatives: tuple[tuple[Source, ...], ...] = ()
    required: tuple[tuple[str, str], ...] = ()
    prepare: Callable[[Path], None] = lambda folder: None
    probes: tuple[Probe, ...] = ()
    packed: str = ""

    def needed(self, folder: Path) -> tuple[tuple[str, str], ...]:
        """The files that must be there, with their SHA-256 where it is known."""
        packed = self.packed and (folder / self.packed).exists()
        return ((self.packed, ""),) if packed else self.required
