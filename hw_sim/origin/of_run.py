"""The float network of a run, whatever it came from."""

from pathlib import Path

from arlif.run_folder import Run
from arlif.training import load_trained
from hw_sim.origin.imported import rebuild
from hw_sim.origin.original import Original


def load_original(folder: Path) -> Original:
    """The float network of a run. Raises ArlifError where there is none, or it is damaged."""
    run = Run(folder)
    if run.imported:
        return rebuild(run)
    module, recipe = load_trained(folder)
    config = recipe.network()
    return Original(module, config.input_shape, config.static, recipe.time_steps, recipe)
