"""Lava's own unit tests, which its wheels carry, under our hook: make test-lava-own.

Whatever follows on the command line goes to pytest.
"""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN = Path(sysconfig.get_path("purelib"), "tests", "lava")

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(OWN.parent, Path(folder, "tests"))
        # Importing the plugin mends Lava. The tests import each other as `tests.lava`.
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "hw_sim.engines.lava.processes",
            "-c",
            os.devnull,
        ]
        command += ["--rootdir", folder, "--timeout", "300", "-q", "tests/lava", *sys.argv[1:]]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join((folder, str(ROOT)))}
        tests = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True)
        try:
            sys.exit(tests.wait())
        finally:
            # Some of these tests leave processes of their own behind.
            with suppress(ProcessLookupError):
                os.killpg(tests.pid, signal.SIGTERM)
