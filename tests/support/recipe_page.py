"""docs/recipes.md, made of the dataclasses of recipes and their docstrings.

PYTHONPATH=tests python -m support.recipe_page writes it.
"""

import inspect
import re
from dataclasses import MISSING, Field, fields
from typing import Annotated, Any, get_args, get_origin

from arlif.networks import Airbench, PreActResNet, ResNet19, Stack
from arlif.networks.neuron_choice import MOST_STEPS, NeuronConfig
from arlif.training import Recipe
from arlif.training.augment import Augmentation
from arlif.training.schedule import Schedule, Stage
from support.places import DOCS

PAGE = DOCS / "recipes.md"

PARTS: dict[str, type] = {
    "The recipe": Recipe,
    'architecture, kind = "stack"': Stack,
    'architecture, kind = "preact-resnet"': PreActResNet,
    'architecture, kind = "resnet19"': ResNet19,
    'architecture, kind = "airbench"': Airbench,
    "stages": Stage,
    "neuron": NeuronConfig,
    "augmentation": Augmentation,
}
"""Every section of the page."""

HEAD = """# Recipe reference

Every field of a recipe, with type, default and meaning. `--set architecture.dropout=0.1`
changes one, `arlif summary NAME --set ...` shows what comes of it, and an unknown field is answered
with those there are. [Training](training.md) says how recipes are written and used. This page is
made of the code's dataclasses (`PYTHONPATH=tests python -m support.recipe_page`), and a test
holds it to them.
"""


def meanings(cls: type) -> dict[str, str]:
    """What a class's docstring, and that of what it is made from, says of every field."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        names = [field.name for field in fields(base)]
        text = " ".join(inspect.cleandoc(base.__doc__ or "").split())
        text = re.sub(r" Raises ArlifError.*", "", text)
        text = re.sub(r" The other fields: .*", "", text).replace("MOST_STEPS", f"{MOST_STEPS:,}")
        name = rf"(?:{'|'.join(names)})(?: \([^)]*\))?"
        head = re.compile(rf"(?:^|(?<=[.;] ))({name}(?:, {name})*): ")
        heads = [*head.finditer(text)]
        ends = [*(head.start() for head in heads[1:]), len(text)]
        for this, end in zip(heads, ends, strict=False):
            said = text[this.end() : end].strip().rstrip(".;")
            for part in this[1].split(", "):
                field, _, source = part.partition(" ")
                found[field] = f"{said} {source}".strip()
    return found


def kind(hint: Any) -> str:
    """A type in words."""
    if get_origin(hint) is not None and str(hint).startswith("typing.Literal"):
        return " or ".join(f'`"{value}"`' for value in get_args(hint))
    if get_origin(hint) is Annotated:
        return "table"
    if get_origin(hint) is tuple:
        return f"list of {kind(get_args(hint)[0])}"
    if args := get_args(hint):
        return " or ".join(dict.fromkeys(map(kind, args)))
    return {int: "whole number", float: "number", bool: "true or false", str: "text"}.get(
        hint, "table"
    )


def default(field: Field[Any]) -> str:
    """What holds where a recipe says nothing."""
    if field.default is MISSING:
        return "" if field.default_factory is MISSING else "its defaults"
    value = field.default
    shown = str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
    return f"`{list(value)}`" if isinstance(value, tuple) else f"`{shown}`"


def text() -> str:
    """The page."""
    lines = [HEAD]
    for title, cls in PARTS.items():
        said = meanings(cls)
        lines += [f"## {title}", "", "| field | type | default | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{f.name}` | {kind(f.type)} | {default(f)} | {said.get(f.name, '')} |"
            for f in sorted(fields(cls), key=lambda f: f.name in Schedule.__annotations__)
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
