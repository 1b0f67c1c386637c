"""Carries the archived lava-nc 0.10.0 and lava-dl 0.6.0 to current Python and NumPy.

A finder on sys.meta_path loads the modules named in MENDS from their own source with literal
replacements. Nothing on disk is changed, no other module is touched, no bytecode is cached.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from arlif.base.errors import SimulationError, require

MENDS: dict[str, tuple[tuple[str, str], ...]] = {
    # Python >= 3.11 refuses dataclass defaults that are not hashable.
    "lava.magma.compiler.var_model": (
        ("from dataclasses import dataclass,", "from dataclasses import dataclass, field,"),
        ("= ByteEncoder()", "= field(default_factory=ByteEncoder)"),
    ),
    # NumPy >= 2.4 has no `newshape`; the child process would die and its parent wait for ever.
    "lava.magma.core.process.ports.ports": (
        (
            "ft.partial(np.reshape, newshape=",
            "ft.partial(lambda data, shape: data.reshape(shape), shape=",
        ),
    ),
    # Geometry in int8 overflows from 128 channels on; NumPy >= 2 raises.
    "lava.proc.conv.models": (("np.ndarray, np.int8, precision=8", "np.ndarray, np.int32"),),
    # Importing a library must not set the start method of everybody's processes.
    "lava.magma.runtime.message_infrastructure.multiprocessing": (
        ("mp.set_start_method('fork')", "mp = mp.get_context('fork')"),
    ),
    # netx imports slayer, whose object detection imports cv2 and torchvision.
    "lava.lib.dl.slayer": (
        ("from . import object_detection as obd\n", ""),
        ("    'obd'\n", ""),
    ),
}
"""Per module, the texts to replace and what replaces them."""


def mended_source(module: str, source: str) -> str:
    """The source of a module with its replacements; SimulationError where a text is missing."""
    for old, new in MENDS[module]:
        require(
            old in source,
            f"{module} does not contain {old!r}: this is not the Lava that arlif knows; "
            "run: arlif lava install",
            SimulationError,
        )
        source = source.replace(old, new)
    return source


class MendingLoader(SourceFileLoader):
    """Loads a module from its mended source; never reads or writes bytecode."""

    def get_code(self, fullname: str) -> CodeType:
        source = mended_source(fullname, self.get_data(self.path).decode("utf-8"))
        return compile(source, self.path, "exec", dont_inherit=True)


class MendingFinder(MetaPathFinder):
    """Finds the modules of MENDS where Python would, and gives them the mending loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in MENDS:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = MendingLoader(fullname, spec.origin)
        return spec


def mend_lava() -> None:
    """From now on this Python process imports Lava mended. Calling it again changes nothing."""
    if not any(isinstance(finder, MendingFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, MendingFinder())
