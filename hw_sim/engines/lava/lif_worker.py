"""Runs lif.nir on Lava's own processes: python -m hw_sim.engines.lava.lif_worker FOLDER CALLER."""

import sys
from pathlib import Path

from arlif.base.workers import end_with
from hw_sim.engines.lava.lif_files import LifFiles
from hw_sim.engines.lava.plain_graph import read_plain
from hw_sim.engines.lava.worker import to_the_end


def run(folder: Path) -> None:
    """Simulate what lies in `folder` on Lava; results go into its files."""
    # Not above: Lava has to be mended first, which the other worker's imports do.
    from hw_sim.engines.lava.lif_wiring import MODELS, build_lif

    files = LifFiles(folder)
    processes, steps = build_lif(read_plain(files.network), files)
    to_the_end(processes, MODELS, steps, "floating_pt")


if __name__ == "__main__":
    end_with(int(sys.argv[2]))
    run(Path(sys.argv[1]))
