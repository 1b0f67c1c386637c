"""Frozen dataclasses from plain mappings (JSON, TOML), checked field by field, and back."""

import json
from dataclasses import asdict, fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from arlif.base.errors import ArlifError

if TYPE_CHECKING:  # pydantic takes a while: it is loaded once there is something to check
    from pydantic import ConfigDict, ValidationError

T = TypeVar("T")

STRICT: "ConfigDict" = {"extra": "forbid", "strict": True, "allow_inf_nan": False}
"""For `__pydantic_config__`: unknown fields and wrong types are errors, nothing is converted, and
numbers are finite."""

BESIDE: "ConfigDict" = {"extra": "ignore", "strict": True, "allow_inf_nan": False}
"""The same for a part of a file, which holds other fields too."""


def from_mapping(cls: type[T], mapping: dict[str, Any], where: str) -> T:
    """Build the dataclass `cls` from a mapping of plain values.

    where: what the mapping is, for messages. Raises ArlifError naming every wrong field.
    """
    from pydantic import TypeAdapter, ValidationError

    def refuse(value: Any) -> Any:
        text = " ".join(str(value).split())
        raise ArlifError(
            f"{where}: {text} is a {type(value).__name__}; values are text, numbers, true, false, "
            "lists and tables: write it in quotes"
        )

    try:
        return TypeAdapter(cls).validate_json(json.dumps(mapping, default=refuse))
    except ValidationError as error:
        raise ArlifError(f"{where}: {_problems(error, mapping, cls)}") from None


def to_mapping(value: Any) -> dict[str, Any]:
    """The plain mapping of a dataclass, as from_mapping reads it."""
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"not a dataclass instance: {value!r}")
    return json.loads(json.dumps(asdict(value)))


def _problems(error: "ValidationError", mapping: dict[str, Any], cls: type) -> str:
    """Every wrong field once, with all that it might have been."""
    rules: dict[str, list[str]] = {}
    given: dict[str, str] = {}
    for detail in error.errors(include_url=False):
        field = ".".join(_path(detail["loc"], mapping, detail["type"] == "missing"))
        rules.setdefault(field, []).append(_rule(detail, cls))
        if detail["type"] not in _COMPLETE:
            text = repr(detail["input"])
            given[field] = f", not {text if len(text) < 60 else '...'}"
    return "; ".join(
        f"{field}{': ' if field else ''}{' or '.join(rule)}{given.get(field, '')}"
        for field, rule in rules.items()
    )


_COMPLETE = ("value_error", "unexpected_keyword_argument", "missing", "union_tag_invalid")
"""Errors whose message needs no value behind it."""


def _rule(detail: Any, cls: type) -> str:
    if detail["type"] == "unexpected_keyword_argument":
        known = _fields(cls, detail["loc"][:-1])
        return f"there is no such field{known and '; there are '}{known}"
    if detail["type"] == "union_tag_invalid":
        known = detail["ctx"]
        return (
            f"{known['discriminator'].strip('()')} is one of {known['expected_tags']}, "
            f"not {known['tag']!r}"
        )
    message: str = detail["msg"].removeprefix("Value error, ")
    return message if detail["type"] == "value_error" else message[0].lower() + message[1:]


def _fields(hint: Any, path: tuple[str | int, ...]) -> str:
    """The fields of the dataclass at a path; nothing where it may be one of several."""
    for part in path:
        hint = _inside(hint, str(part))
    return ", ".join(field.name for field in fields(hint)) if is_dataclass(hint) else ""


def _inside(hint: Any, part: str) -> Any:
    """The type of a dataclass's field, or the member of a union that a tag means; else None."""
    from pydantic import Tag

    if is_dataclass(hint):
        return get_type_hints(hint, include_extras=True).get(part)
    for member in get_args(hint):
        if Tag(part) in getattr(member, "__metadata__", ()):
            return get_args(member)[0]
    return _inside(get_args(hint)[0], part) if get_origin(hint) is Annotated else None


def _path(loc: tuple[str | int, ...], value: Any, missing: bool) -> list[str]:
    """The part of an error's location that the file knows: pydantic adds the members of unions."""
    path = []
    for number, part in enumerate(loc):
        inside = value.keys() if isinstance(value, dict) else _indices(value)
        if part in inside:
            value = value[part]
        elif not (missing and number == len(loc) - 1):
            continue
        path.append(str(part))
    return path


def _indices(value: Any) -> range:
    return range(len(value)) if isinstance(value, list | tuple) else range(0)
