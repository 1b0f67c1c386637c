"""The reference of recipes is that of the code, and says something of every field."""

from dataclasses import fields
from typing import Any

import pytest
from support.recipe_page import PAGE, PARTS, meanings, text

from arlif.base.plain_data import to_mapping
from arlif.training import load_recipe, recipe_names


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == text(), (
        "PYTHONPATH=tests python -m support.recipe_page"
    )


@pytest.mark.parametrize("cls", PARTS.values(), ids=lambda cls: cls.__name__)
def test_every_field_has_a_meaning(cls: type) -> None:
    said = meanings(cls)
    assert not [f.name for f in fields(cls) if not said.get(f.name)]  # type: ignore[arg-type]


def fields_of(mapping: dict[str, Any]) -> set[str]:
    """The names of all fields of a recipe, those of its tables too."""
    inner = [fields_of(value) for value in mapping.values() if isinstance(value, dict)]
    return {*mapping}.union(*inner)


@pytest.mark.parametrize("name", recipe_names())
def test_every_field_of_every_recipe_stands_there(name: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    missing = [f for f in fields_of(to_mapping(load_recipe(name))) if f"| `{f}` |" not in page]
    assert not missing
