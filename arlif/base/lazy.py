"""Public names of a package that load their module when they are first asked for."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def named(place: str) -> Any:
    """What "module:name" stands for; the module is imported."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def lazily(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """The __getattr__ of a package. homes: the module that holds each name."""

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return load
