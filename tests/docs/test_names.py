"""No page, comment, docstring, import or setting names a module, a file or a folder that is not."""

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from support.places import ROOT

CODE = ("arlif", "export", "hw_sim", "tests", "examples", "benchmarks")
HOMES = "|".join(CODE[:3])
PLACES = "|".join((*CODE, "docs"))

DOTTED = re.compile(rf"(?<![\w./-])(?:{HOMES})(?:\.[A-Za-z_]\w*)+")
PATH = re.compile(rf"(?<![\w./~*-])(?:{PLACES})/[\w./*-]*[\w*/]")
FILE = re.compile(r"(?<![\w./~*-])(?:[\w-]+/)*[\w-]+\.(?:py|cpp|h|md|toml)\b")

OF_OTHERS = {
    "arlif.probe": "a name that a test gives to a subprocess",
    "arlif.LifHard": "a type in a .net file",
    "arlif/numerics_version": "a dataset in a .net file",
    "tests/lava/tutorials": "a folder of Lava's wheel",
    "tests/lava/lib/dl/netx": "a folder of lava-dl's wheel",
    "tests/lava/lib/dl/netx/mnist.net": "a file of lava-dl's wheel",
    "sitecustomize.py": "a file that Python runs when it starts",
    "inference.py": "a file of the AR-LIF paper's authors",
    "immintrin.h": "a header of the compiler",
    "network.h": "a file that arlif export --c writes",
    "ablation.md": "a file that arlif ablate writes",
    "FILE.py": "a file of the user",
    "my.py": "a file of the user",
    "nets.py": "a file of the user",
    "mynet.py": "a file of the user",
}
"""What looks like one of our names and is not, with what it is."""


def texts() -> list[Path]:
    found = [ROOT / "Makefile", ROOT / "pyproject.toml", *ROOT.glob("*.md")]
    found += (ROOT / "docs").rglob("*.md")
    for folder in CODE:
        for ending in ("py", "cpp", "h", "html", "toml"):
            found += (ROOT / folder).rglob(f"*.{ending}")
    return [path for path in found if path != Path(__file__)]


@cache
def resolves(name: str) -> bool:
    """Whether a dotted name is a module, or what one holds."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            with warnings.catch_warnings(action="ignore"):  # of what other packages load
                found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError as error:
            if not name.startswith(str(error.name)):
                return True  # a module of ours that needs a package which is not installed here
            continue
        for part in parts[length:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@cache
def files() -> tuple[str, ...]:
    folders = [ROOT / folder for folder in (*CODE, "docs")]
    found = [*ROOT.glob("*"), *(path for folder in folders for path in folder.rglob("*"))]
    return tuple(f"/{path.relative_to(ROOT).as_posix()}" for path in found if path.is_file())


def wrong(text: str, prose: str) -> list[str]:
    """The names in a text that lead nowhere; NAME stands for the reader's own.

    prose: the part of it whose bare file names are ours.
    """
    names = [n for n in DOTTED.findall(text) if not resolves(n) and not n.endswith((".py", ".h"))]
    names += [p for p in PATH.findall(text) if not [*ROOT.glob(p)]]
    names += [f for f in FILE.findall(prose) if not any(x.endswith(f"/{f}") for x in files())]
    return [name for name in names if name not in OF_OTHERS and "NAME" not in name]


def said(path: Path) -> tuple[str, str]:
    """What a file says in words, and the part of it that is comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".cpp", ".h"):
        comments = "\n".join(re.findall(r"//.*", text))
        return comments, comments
    if path.suffix != ".py":
        return text, text if path.suffix == ".md" else ""
    comments, literals = [], []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments.append(token.string)
        elif token.type not in (tokenize.NAME, tokenize.OP, tokenize.NUMBER):
            literals.append(token.string)
    tree = ast.parse(text)
    comments += [
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    return "\n".join([*literals, *comments, *imports(tree)]), "\n".join(comments)


def imports(tree: ast.AST) -> Iterator[str]:
    """What a file imports, each as one dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("place", [*CODE, "docs", "*"])
def test_every_name_leads_somewhere(place: str) -> None:
    for path in texts():
        top = path.relative_to(ROOT).parts[0]
        if place == (top if top in (*CODE, "docs") else "*"):
            assert not wrong(*said(path)), path.relative_to(ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "see arlif.run for it",
        "`arlif.core.steps.arlif_stepp`",
        "the engines of hw_sim/engine/",
        "tests/test_*.py",
        "as in core/stepps.py",
        "the page speeed.md",
    ],
)
def test_a_name_that_leads_nowhere_is_found(text: str) -> None:
    assert len(wrong(text, text)) == 1


def test_an_import_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("def f():\n    from arlif.core import lineear\n")
    assert wrong(*said(tmp_path / "one.py")) == ["arlif.core.lineear"]


def test_what_is_of_others_is_still_said() -> None:
    everything = "\n".join(path.read_text(encoding="utf-8") for path in texts())
    assert not [name for name in OF_OTHERS if name not in everything]
