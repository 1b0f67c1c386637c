"""Flags that tables hold: what engines can be asked for, which further files can be exported."""

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any

import typer

from arlif.base.options import Option, options_of
from export.file_formats import FORMATS
from hw_sim.engines.table import ENGINES, every_option

FEWER = "".join(
    f", {few} on {', '.join(e.name for e in ENGINES.values() if e.samples == few)}"
    for few in sorted({e.samples for e in ENGINES.values() if e.samples})
)
"""The engines that take fewer samples than all, for the help."""
SamplesOption = Annotated[
    int | None, typer.Option(min=1, help=f"So many first samples; default all{FEWER}.")
]


def engine_option(flag: str, meaning: str) -> Any:
    """The option that names an engine of the table."""

    def known(name: str | None) -> str | None:
        if name is not None and name not in ENGINES:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, ENGINES))}")
        return name

    return typer.Option(
        flag, metavar="ENGINE", callback=known, autocompletion=engines_from, help=meaning
    )


def engines_from(begun: str) -> list[str]:
    """The engines whose names begin so, for shells that complete them."""
    return [name for name in ENGINES if name.startswith(begun)]


def engine_flags() -> list[Parameter]:
    """What can be asked of engines; the help says of which."""
    flags = []
    for asked, engines in every_option().items():
        flags.append(_option_flag(asked, ", ".join(e.name for e in engines).capitalize()))
    return flags


def format_flags() -> list[Parameter]:
    """Which files are exported where they are asked for, and what their writers can be asked."""
    files = [
        _flag(name, False, Annotated[bool, typer.Option(row.flag, help=row.meaning)])
        for name, row in FORMATS.items()
        if row.flag
    ]
    offered: dict[Option, list[str]] = {}
    for row in FORMATS.values():
        for asked in options_of(row.options):
            offered.setdefault(asked, []).append(row.flag)
    return files + [_option_flag(asked, ", ".join(flags)) for asked, flags in offered.items()]


def _option_flag(asked: Option, whose: str) -> Parameter:
    shown = typer.Option(asked.flag, min=asked.least, help=f"{whose}: {asked.meaning}.")
    return _flag(asked.name, asked.default, Annotated[asked.type, shown])


def _flag(name: str, default: Any, annotation: Any) -> Parameter:
    """A flag as typer reads it off a verb; name: under which the verb gets its value."""
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def with_flags(flags: Sequence[Parameter], before: str) -> Callable[[Callable[..., None]], Any]:
    """For a verb that takes `given`: the values of those flags that are not their defaults.

    before: the parameter of the verb that the flags stand in front of in its help.
    """

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        own = signature(verb).parameters.values()
        shown = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in own if p.name != "given"]
        place = [p.name for p in shown].index(before)
        parameters = [*shown[:place], *flags, *shown[place:]]

        @wraps(verb)
        def run(**values: Any) -> None:
            taken = {flag.name: (values.pop(flag.name), flag.default) for flag in flags}
            given = {name: value for name, (value, default) in taken.items() if value != default}
            verb(given=given, **values)

        run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return decorate
