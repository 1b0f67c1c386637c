"""Ctrl-C or SIGTERM at whatever moment: one line, exit code 130 or 143."""

import os
import signal
import subprocess
import sys

import pytest

STOPS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]

INTERRUPTED_IMPORT = """
import os, signal, sys, time

class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(9)
            except KeyboardInterrupt:
                {then}

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupted())
from hw_sim.cli import main
main(["train", sys.argv[1]])
"""


def interrupted(tmp_path, module, then):
    code = INTERRUPTED_IMPORT.format(module=module, then=then)
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert not (tmp_path / "run").exists()
    return done.returncode, done.stderr


@pytest.mark.parametrize("then", ["raise", "raise ImportError('already registered')"])
@pytest.mark.parametrize("module", ["typer", "pytorch_lightning"])
def test_ctrl_c_while_modules_are_imported(tmp_path, module, then):
    assert interrupted(tmp_path, module, then) == (130, "stopped\n")


TRAINING = """
import os, signal, sys
from hw_sim.cli import main
from arlif.training.module import TrainingModule

def interrupts(self, batch, index):
    os.kill(os.getpid(), int(sys.argv[2]))
    signal.pause()

signal.signal(signal.SIGINT, signal.default_int_handler)
TrainingModule.training_step = interrupts
main(["train", sys.argv[1]])
"""


@pytest.mark.parametrize(
    ("sign", "code"), [STOPS[0], pytest.param(*STOPS[1], marks=pytest.mark.slow)]
)
def test_a_training_that_is_stopped_says_how_to_continue(tmp_path, sign, code):
    command = [sys.executable, "-c", TRAINING, str(tmp_path / "run"), str(int(sign))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code
    assert done.stderr == ("error: stopped after epoch 0 of 15; continue with resume (--resume)\n")


SIDE_BY_SIDE = """
import os, signal, sys
import numpy as np
from joblib import delayed
from arlif.base.side_by_side import in_parallel
from hw_sim.cli import app, main

def runs(arguments):
    shared = np.ones(1 << 20)  # which joblib puts into shared memory
    for _ in in_parallel((delayed(np.sum)(shared) for _ in range(9)), 2):
        print(os.getpid(), sum(str(os.getpid()) in name for name in os.listdir("/dev/shm")))
        sys.stdout.flush()
        os.kill(os.getpid(), int(sys.argv[1]))

signal.signal(signal.SIGINT, signal.default_int_handler)
app.run = runs
main([])
"""


@pytest.mark.parametrize(("sign", "code"), STOPS)
def test_what_processes_shared_is_gone_without_a_warning(sign, code):
    command = [sys.executable, "-c", SIDE_BY_SIDE, str(int(sign))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (code, "stopped\n")
    process, shared = done.stdout.split()
    assert int(shared) > 0
    assert not [name for name in os.listdir("/dev/shm") if process in name]


def test_errors_without_ctrl_c_keep_their_traceback():
    code = (
        "import hw_sim.cli.app as app\n"
        "from hw_sim.cli import main\n"
        "def fails(arguments): raise RuntimeError('a mistake of ours')\n"
        "app.run = fails\n"
        "main([])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_where_ctrl_c_is_ignored_it_stays_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        from hw_sim.cli import main

        with pytest.raises(SystemExit):
            main(["--version"])
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
