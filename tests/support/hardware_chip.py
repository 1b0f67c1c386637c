"""The chip of examples/hardware: an implementation that knows a network from files alone."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from support.places import ROOT


def chip() -> ModuleType:
    """Its program as a module."""
    path = ROOT / "examples" / "hardware" / "numpy_chip.py"
    spec = spec_from_file_location("numpy_chip", path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    before = {*sys.modules}
    spec.loader.exec_module(module)
    assert not {name for name in {*sys.modules} - before if name.startswith(("arlif", "export"))}
    return module
