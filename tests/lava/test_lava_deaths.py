"""A child that failed is found among those that did not, and left to its parent's own wait."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from hw_sim.engines.lava import deaths


@pytest.mark.parametrize(("act", "code"), [("sys.exit(3)", 3), ("os.kill(os.getpid(), 9)", -9)])
def test_a_dead_child_is_found(act: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    good = subprocess.Popen([sys.executable, "-c", ""])
    bad = subprocess.Popen([sys.executable, "-c", f"import os, sys; {act}"])
    for child in (good, bad):
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    pids = [os.getppid(), good.pid]  # no child of ours, one that ended well

    def children() -> list[SimpleNamespace]:
        return [SimpleNamespace(pid=pid) for pid in pids]

    monkeypatch.setattr(deaths.psutil, "Process", lambda: SimpleNamespace(children=children))
    assert deaths.dead_child() is None
    pids.append(bad.pid)
    assert deaths.dead_child() == (bad.pid, code)
    assert (good.wait(), bad.wait()) == (0, code)
