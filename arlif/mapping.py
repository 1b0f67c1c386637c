"""Frozen dataclasses from plain mappings (JSON, TOML), checked field by field, and back."""

import json
from dataclasses import asdict, is_dataclass
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from arlif.errors import ArlifError

T = TypeVar("T")

STRICT = ConfigDict(extra="forbid", strict=True)
"""For `__pydantic_config__`: unknown fields and wrong types are errors, nothing is converted."""


def from_mapping(cls: type[T], mapping: dict[str, Any], where: str) -> T:
    """Build the dataclass `cls` from a mapping of plain values.

    where: what the mapping is, for messages. Raises ArlifError naming every wrong field.
    """
    try:
        return TypeAdapter(cls).validate_json(json.dumps(mapping))
    except ValidationError as error:
        problems = "; ".join(_problem(detail) for detail in error.errors(include_url=False))
        raise ArlifError(f"{where}: {problems}") from None


def to_mapping(value: Any) -> dict[str, Any]:
    """The plain mapping of a dataclass, as from_mapping reads it."""
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"not a dataclass instance: {value!r}")
    return json.loads(json.dumps(asdict(value)))


def _problem(detail: Any) -> str:
    field = ".".join(str(part) for part in detail["loc"])
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return f"{field}: {message}" if field else message
    given = repr(detail["input"])
    return f"{field}: {message[0].lower()}{message[1:]}, not {given if len(given) < 60 else '...'}"
