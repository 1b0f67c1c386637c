"""Strided 1 x 1 convolutions keep away from a kernel of oneDNN that writes past its memory.

That kernel runs with the channels innermost: on AVX2 below 8 input channels, on AVX-512 below 16.
"""

import os
import re
import subprocess
import sys

import pytest
import torch
from support.places import ROOT, SUPPORT

MET = re.compile(r"jit_1x1:\w+,backward_weights,src:f32\S*:acdb:.*_ic(\d|1[0-5])oc.*(sh|sw)[2-9]")
"""How oneDNN reports the kernel: channels innermost, fewer than 16, a stride."""


def seen_by_onednn(isa: str, *what: str) -> str:
    """What oneDNN reports of a probe that ends well, on no more than these instructions."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment |= {"ONEDNN_MAX_CPU_ISA": isa, "ONEDNN_VERBOSE": "1"}
    done = subprocess.run(
        [sys.executable, str(SUPPORT / "pointwise_probe.py"), *what],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
@pytest.mark.parametrize(
    ("isa", "what"),
    [
        ("AVX2", ()),
        ("ALL", ()),
        pytest.param("AVX2", ("compile",), marks=pytest.mark.slow),
    ],
)
def test_gradients_are_those_of_the_usual_layout(isa, what):
    reported = seen_by_onednn(isa, *what)
    assert "onednn_verbose" in reported
    assert "backward_weights" in reported
    assert not MET.search(reported), MET.search(reported)
