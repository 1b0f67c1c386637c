"""Our three top-level packages, and other modules of their names that hide them or are hidden."""

from importlib.util import find_spec
from pathlib import Path

from arlif.base.workers import ROOT

OURS = ("arlif", "export", "hw_sim")
OTHER_NAMES = {"PIL": "pillow", "sklearn": "scikit-learn", "elftools": "pyelftools"}
"""What pip calls packages that Python calls otherwise, of those that arlif needs."""


def require_found() -> None:
    """Raise ImportError where Python finds another module before one of our packages."""
    for name in OURS:
        spec = find_spec(name)
        if spec is None or not spec.origin:
            raise ImportError(f"{ROOT} has no package {name}: arlif is not whole, install it again")
        if Path(spec.origin).resolve() != ROOT / name / "__init__.py":
            raise ImportError(
                f"{spec.origin} hides arlif's package {name} ({ROOT / name}): rename it, or take "
                "its folder out of PYTHONPATH and of the folder that Python starts in"
            )


def not_ours(error: ModuleNotFoundError) -> str:
    """What pip calls the package, somebody else's, whose absence an error is of.

    Raises the error where a module of ours is absent.
    """
    name = (error.name or "").partition(".")[0]
    if not name or name in OURS:
        raise error
    return OTHER_NAMES.get(name, name)


def hidden_in(folder: Path) -> tuple[Path, ...]:
    """The modules in a folder whose names Python understands as ours, so that none is imported."""
    places = [folder / path for name in OURS for path in (f"{name}.py", f"{name}/__init__.py")]
    return tuple(path for path in places if path.exists() and folder.resolve() != ROOT)
