"""What can be asked of one row of a table: frozen dataclasses whose fields are flags of its verbs.

Loads nothing heavy: the command line reads it for its help.
"""

from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints


@dataclass(frozen=True)
class NoOptions:
    """Of a row of which nothing can be asked."""


@dataclass(frozen=True)
class Option:
    """A field of an engine's or a file format's options, as the command line offers it.

    flag: as --time-limit. meaning: for the help. least: of numbers, the smallest that is allowed.
    """

    name: str
    type: type
    default: Any
    flag: str
    meaning: str
    least: float | None


def option(default: Any, flag: str, meaning: str, least: float | None = None) -> Any:
    """A field of such options: its default, and what Option says of it."""
    return field(default=default, metadata={"flag": flag, "meaning": meaning, "least": least})


def options_of(cls: type) -> tuple[Option, ...]:
    """The fields of such options, in their order."""
    types = get_type_hints(cls)
    return tuple(Option(f.name, types[f.name], f.default, **f.metadata) for f in fields(cls))
