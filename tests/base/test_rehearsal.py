"""A file that is tried first may take work, not a share of a busy machine."""

import signal
import subprocess
import sys

from arlif.base.workers import environment


def test_work_counts_and_waiting_for_others_does_not() -> None:
    """On a busy machine a sound file takes long."""
    waits = "import time; from arlif.base.rehearsal import _limit; _limit(0.5); time.sleep(1); "
    works = "print('waited', flush=True)\nwhile True: pass"
    command = [sys.executable, "-c", waits + works]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.stdout == "waited\n"
    assert -done.returncode in (signal.SIGPROF, signal.SIGALRM)
