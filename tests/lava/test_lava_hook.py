"""Lava is mended in memory and nowhere else, and what cannot be mended is said."""

import subprocess
import sys

import numpy as np
import pytest

from arlif.base.errors import SimulationError
from arlif.core.maps import Dense, SumPool2d
from arlif.core.network import INPUT, READOUT, Input, Projection, QuantizedNetwork, Readout
from hw_sim.engines.integer.reference import simulate as simulate_reference
from hw_sim.engines.lava import Models, simulate
from hw_sim.engines.lava.hook import MENDS, mended_source
from hw_sim.engines.lava.install import check

IMPORT_ALL = """
import multiprocessing, sys
from importlib import import_module
from pathlib import Path
import lava

def stamps():
    files = [f for place in lava.__path__ for f in Path(place).rglob("*.py*")]
    return {f: f.stat().st_mtime_ns for f in files if "__pycache__" not in f.parts}

before = stamps()
from hw_sim.engines.lava.hook import MENDS, MendingLoader, mend_lava
mend_lava()
mend_lava()
for name in MENDS:
    import_module(name)
mended = {n for n, m in sys.modules.items() if isinstance(vars(m).get("__loader__"), MendingLoader)}
assert mended == set(MENDS), mended ^ set(MENDS)
assert sum(type(finder).__name__ == "MendingFinder" for finder in sys.meta_path) == 1
assert multiprocessing.get_start_method(allow_none=True) is None
assert stamps() == before
"""


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.lava
def test_only_the_named_modules_are_mended_and_nothing_on_disk():
    run(IMPORT_ALL)


@pytest.mark.lava
def test_the_worker_is_free_of_torch():
    run(
        "import sys, hw_sim.engines.lava.worker; "
        "assert {'lava', 'torch'} & sys.modules.keys() == {'lava'}"
    )


@pytest.mark.parametrize("module", MENDS)
def test_a_text_that_is_gone_is_an_error(module):
    texts = [old for old, _ in MENDS[module]]
    source = "\n".join(texts)
    assert mended_source(module, source) != source
    for text in texts:
        with pytest.raises(SimulationError, match=r"not the Lava that arlif knows.*lava install"):
            mended_source(module, source.replace(text, "something else"))


@pytest.mark.lava
def test_a_check_of_a_good_installation_finds_nothing_wrong():
    findings = check()
    assert [finding for finding in findings if not finding.ok] == []
    assert findings[-1].found == "equals the reference engine"


@pytest.mark.lava
def test_a_check_names_the_module_that_is_not_as_known(monkeypatch):
    monkeypatch.setitem(MENDS, "lava.proc.conv.models", (("no such text", ""),))
    (bad,) = [finding for finding in check() if not finding.ok]
    assert bad.what == "lava.proc.conv.models"
    assert "no such text" in bad.found
    assert bad.cure == "run: arlif lava install"


@pytest.mark.lava
def test_more_channels_than_an_int8_holds():
    """Unmended, Lava's Conv keeps the number of groups in an int8."""
    channels = 130
    total = Dense(np.ones((1, channels), np.int8))
    network = QuantizedNetwork(
        Input((channels, 1, 1), 1.0),
        (),
        (Projection(INPUT, READOUT, (SumPool2d((1, 1), (1, 1)), total)),),
        Readout(np.zeros(1, np.int32)),
        time_steps=1,
    )
    inputs = np.arange(-65, 65).reshape(1, channels, 1, 1).astype(np.int8)
    got = simulate(network, inputs, 1, models=Models.STOCK)
    np.testing.assert_array_equal(got.readout, simulate_reference(network, inputs, 1).readout)
