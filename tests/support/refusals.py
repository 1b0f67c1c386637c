"""Rules and their boundaries: what is accepted at the limit, and refused one step past it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from arlif.base.errors import ArlifError


@dataclass(frozen=True)
class Rule:
    """One rule. accepted: at the limit. refused: past it; told: the rule and what was given."""

    name: str
    accepted: Callable[[], Any]
    refused: Callable[[], Any]
    told: tuple[str, ...]
    error: type[ArlifError] = ArlifError

    def __str__(self) -> str:
        return self.name

    def check(self) -> None:
        """Both sides of the boundary."""
        self.accepted()
        with pytest.raises(self.error) as caught:
            self.refused()
        message = str(caught.value)
        assert type(caught.value) is self.error, message
        for part in self.told:
            assert part in message
