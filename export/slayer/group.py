"""Checked access to one group of a SLAYER file: every wrong value is named with its path."""

from collections.abc import Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import FormatError, require
from export.hdf5 import Tree

LARGEST = 1 << 24
"""No integer of a .net file is larger; Loihi's states have 24 bits."""

WIDEST = 1 << 12
"""No window is larger."""


@dataclass(frozen=True)
class Group:
    """A group and its path in the file."""

    path: str
    tree: Tree

    def group(self, name: str) -> "Group":
        """A group inside this one."""
        tree = self.tree.get(name)
        self.require(isinstance(tree, dict), f"lacks the group {name!r}")
        assert isinstance(tree, dict)
        return Group(f"{self.path}/{name}", tree)

    def text(self, name: str) -> str:
        """A single text."""
        value = np.asarray(self.tree.get(name))
        self.require(value.size == 1 and value.dtype.kind in "US", f"{name!r} must be a text")
        return str(value.reshape(())[()])

    def integers(self, name: str) -> NDArray[np.int64]:
        """Integers of any shape; SLAYER stores many of them as floats."""
        value = np.asarray(self.tree.get(name))
        self.require(
            value.dtype.kind in "biuf"
            and value.size > 0
            and bool((np.abs(value) <= LARGEST).all() and (value == np.rint(value)).all()),
            f"{name!r} must hold integers of at most 24 bits; export the network quantized",
        )
        return value.astype(np.int64)

    def integer(self, name: str, low: int, high: int) -> int:
        """One integer in [low, high]."""
        value = self.integers(name)
        self.require(
            value.size == 1 and bool(low <= value.min() <= value.max() <= high),
            f"{name!r} must be one integer in [{low}, {high}]",
        )
        return int(value.reshape(())[()])

    def pair(self, name: str) -> tuple[int, int]:
        """(vertical, horizontal); one number stands for both."""
        value = self.integers(name).reshape(-1)
        self.require(
            value.size in (1, 2) and bool((value <= WIDEST).all()),
            f"{name!r} must be one or two integers of at most {WIDEST}",
        )
        return int(value[0]), int(value[-1])

    def only(self, known: Set[str]) -> None:
        """Refuse fields that mean something to lava-dl but nothing to us."""
        foreign = sorted(self.tree.keys() - known)
        self.require(
            not foreign,
            f"has {', '.join(foreign)}, which is not supported; supported are "
            f"{', '.join(sorted(known))}",
        )

    def require(self, condition: bool, message: str) -> None:
        """Raise FormatError with this group's path unless the condition holds."""
        require(condition, f"{self.path}: {message}", FormatError)
