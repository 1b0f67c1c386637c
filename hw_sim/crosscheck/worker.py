"""python -m hw_sim.crosscheck.worker FOLDER: one check, at the lowest priority."""

import json
import os
import signal
import sys
from pathlib import Path

NICE = 19
ANSWER = "answer.json"


def main(folder: Path) -> None:
    """Do the task of a folder and write the answer into it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    import torch

    from arlif.errors import ArlifError
    from arlif.files import write_text
    from hw_sim.crosscheck.result import Check, Verdict, check_to_mapping
    from hw_sim.crosscheck.task import run_task

    torch.set_num_threads(1)
    try:
        check = run_task(folder)
    except ArlifError as error:
        check = Check(int(folder.name), Verdict.FAILED, str(error))
    write_text(folder / ANSWER, json.dumps(check_to_mapping(check)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
