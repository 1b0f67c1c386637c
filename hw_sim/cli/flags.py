"""Flags that tables hold: what engines can be asked for, which further files can be exported."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any

import typer

from export.file_formats import FORMATS
from hw_sim.engines.table import ENGINES, every_option

FEWER = "".join(f", on {e.name} {e.samples}" for e in ENGINES.values() if e.samples)
"""The engines that take fewer samples than all, for the help."""


def engine_option(flag: str, meaning: str) -> Any:
    """The option that names an engine of the table."""

    def known(name: str | None) -> str | None:
        if name is not None and name not in ENGINES:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, ENGINES))}")
        return name

    return typer.Option(flag, metavar="|".join(ENGINES), callback=known, help=meaning)


@dataclass(frozen=True)
class Flag:
    """A flag: the name under which a verb gets its value, and typer's option."""

    name: str
    type: type
    default: Any
    option: Any


def engine_flags() -> list[Flag]:
    """What can be asked of engines; the help says of which."""
    flags = []
    for asked, engines in every_option().items():
        names = ", ".join(engine.name for engine in engines).capitalize()
        shown = typer.Option(asked.flag, min=asked.least, help=f"{names}: {asked.meaning}.")
        flags.append(Flag(asked.name, asked.type, asked.default, shown))
    return flags


def format_flags() -> list[Flag]:
    """Which files are exported where they are asked for."""
    return [
        Flag(name, bool, False, typer.Option(row.flag, help=row.meaning))
        for name, row in FORMATS.items()
        if row.flag
    ]


def with_flags(flags: Sequence[Flag], before: str) -> Callable[[Callable[..., None]], Any]:
    """For a verb that takes `given`: the values of those flags that are not their defaults.

    before: the parameter of the verb that the flags stand in front of in its help.
    """

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        kind = inspect.Parameter.KEYWORD_ONLY
        own = dict(inspect.signature(verb).parameters)
        del own["given"]
        place = list(own).index(before)
        parameters = [parameter.replace(kind=kind) for parameter in own.values()]
        parameters[place:place] = [
            inspect.Parameter(
                f.name, kind, default=f.default, annotation=Annotated[f.type, f.option]
            )
            for f in flags
        ]

        @wraps(verb)
        def run(**values: Any) -> None:
            taken = {flag: values.pop(flag.name) for flag in flags}
            given = {flag.name: value for flag, value in taken.items() if value != flag.default}
            verb(given=given, **values)

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return decorate
