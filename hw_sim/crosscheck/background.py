"""python -m hw_sim.crosscheck.background FOLDER CALLER: one check, at the lowest priority."""

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from arlif.base.workers import end_with

NICE = 19
ANSWER = "answer.json"


def main(folder: Path) -> None:
    """Do the task of a folder and write the answer into it."""
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    if hasattr(os, "SCHED_IDLE"):  # Linux: yields at once to whatever else wants the core
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    import torch

    from arlif.base.errors import ArlifError
    from arlif.base.files import write_text
    from arlif.base.plain_data import to_mapping
    from hw_sim.crosscheck.result import Check, Verdict
    from hw_sim.crosscheck.task import run_task

    torch.set_num_threads(1)
    try:
        check = run_task(folder)
    except Exception as error:
        reason = str(error) if isinstance(error, ArlifError) else f"{type(error).__name__}: {error}"
        check = Check(int(folder.name), Verdict.FAILED, reason)
    write_text(folder / ANSWER, json.dumps(to_mapping(check)))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    end_with(int(sys.argv[2]))
    main(Path(sys.argv[1]))
