"""Every public name is there when it is asked for, however late it is loaded."""

from importlib import import_module

import pytest

PACKAGES = ["arlif", "arlif.quantize", "export.lava", "export.slayer", "export.nir", "export.onnx"]
LAZY = ["arlif", "export.nir", "export.onnx", "hw_sim.engines.lava", "hw_sim.pipeline"]


@pytest.mark.parametrize("package", [*PACKAGES, "hw_sim.engines.lava", "hw_sim.pipeline"])
def test_public_names_are_callable(package: str) -> None:
    module = import_module(package)
    assert module.__all__
    for name in module.__all__:
        assert callable(getattr(module, name))


@pytest.mark.parametrize("package", LAZY)
def test_other_names_are_missing(package: str) -> None:
    with pytest.raises(AttributeError, match=f"'{package}' has no attribute 'nothing'"):
        _ = import_module(package).nothing
