"""Another process that holds a run's folder."""

import subprocess
import sys
from contextlib import contextmanager

HOLD = """
import sys, time
from pathlib import Path
from arlif.base.lock import only_writer
with only_writer(Path(sys.argv[1]), "sweep"):
    print("held", flush=True)
    time.sleep(100)
"""


@contextmanager
def another_process(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
