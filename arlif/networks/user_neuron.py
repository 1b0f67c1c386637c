"""A neuron of the user's own, named by its file and class: my.py:MyNeuron."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from arlif.base.errors import require
from arlif.base.user_code import running
from arlif.core.neuron import Neuron, traced


def is_own(name: str) -> bool:
    """Whether a neuron's name is a file and a class."""
    return ":" in name


def file_of(name: str) -> Path:
    """The file in my.py:MyNeuron."""
    return Path(name.rpartition(":")[0])


def class_of(name: str) -> str:
    """The class in my.py:MyNeuron; a name without a file is itself."""
    return name.rpartition(":")[2]


def load_neuron(name: str) -> type[Neuron]:
    """The class that my.py:MyNeuron names; its file is run.

    Raises ArlifError where there is no such file or class, where it fails, is no Neuron, or has a
    step that cannot be traced.
    """
    file = file_of(name)
    require(
        file.is_file(),
        f"there is no file {file} with a neuron {class_of(name)}; paths count from where arlif is "
        "started, and my.py:MyNeuron names the class MyNeuron in my.py",
    )
    return _loaded(file, class_of(name), file.read_bytes())


def identity(name: str) -> str:
    """What two names of the same class in files of the same content share."""
    return f"{sha256(file_of(name).read_bytes()).hexdigest()}:{class_of(name)}"


@cache
def _loaded(file: Path, name: str, content: bytes) -> type[Neuron]:
    """content: of the file; another one is another class."""
    with running(file, f"{file}:{name} cannot be used") as module:
        kind: Any = getattr(module, name, None)
        known = [n for n, value in vars(module).items() if _is_neuron(value)]
        require(
            kind is not None,
            f"{file} has no class {name!r}; its neurons are {', '.join(known) or '(none)'}",
        )
        require(
            _is_neuron(kind),
            f"{name} of {file} is no neuron: derive a class from arlif.Neuron, see docs/neurons.md",
        )
        traced(kind())  # which runs the user's code, too
    found: type[Neuron] = kind
    return found


def _is_neuron(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Neuron) and value is not Neuron
