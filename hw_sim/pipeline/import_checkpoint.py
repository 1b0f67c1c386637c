"""import_checkpoint: released weights become a run, as if they had been trained here."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from arlif.artifacts import CONFIG, IMPORT, MODEL, NIR
from arlif.base.errors import require
from arlif.base.lock import only_writer
from arlif.base.plain_data import to_mapping
from arlif.interop.released import SUFFIXES, load_released
from arlif.networks.user_neuron import is_own
from arlif.run_folder import Run
from arlif.training import load_recipe
from arlif.training.checkpoints import save


def is_checkpoint(file: Path) -> bool:
    """Whether a file is called like a checkpoint of torch."""
    return file.suffix in SUFFIXES


def import_checkpoint(
    file: Path, folder: Path, recipe: str | None, changes: dict[str, Any]
) -> dict[str, Any]:
    """Take the weights of a checkpoint into the network of a recipe; writes config.json, model.pt.

    recipe: its name or file; changes: values of it that are replaced. Raises ArlifError where the
    checkpoint does not fit the recipe, and where the folder holds a run.
    """
    run = Run(folder)
    require(
        is_checkpoint(file),
        f"--recipe and --set are for checkpoints ({', '.join(SUFFIXES)}), not for {file}",
    )
    require(file.is_file(), f"there is no file {file}; give the path of one")
    require(
        recipe is not None,
        f"{file} holds weights and no network; give the --recipe of its network, such as "
        "cifar10-resnet18-t4; of a network of yours, name FILE.py:FUNCTION, which loads them",
    )
    _require_empty(run)
    chosen = load_recipe(str(recipe), changes)
    require(
        not is_own(chosen.neuron.name),
        f"released networks have neurons of arlif, not {chosen.neuron.name}; leave it out",
    )
    released = load_released(file, chosen)
    with only_writer(folder, "import"):
        _require_empty(run)  # which another process may have changed
        save(released.network.state_dict(), run.path(MODEL))
        run.write_json(CONFIG, to_mapping(released.recipe))
        run.record(replace(CONFIG, verb=IMPORT.verb))
        run.record(replace(MODEL, verb=IMPORT.verb), made_from=(CONFIG,))
    network = released.recipe.network()
    return {
        "path": str(run.path(MODEL)),
        "recipe": recipe,
        "parameters": sum(p.numel() for p in released.network.parameters()),
        "input_shape": list(network.input_shape),
        "static": network.static,
        "time_steps": network.time_steps,
        "alphas": released.alphas,
        "free_alpha": released.recipe.neuron.free_alpha,
    }


def _require_empty(run: Run) -> None:
    require(
        not any(map(run.has, (CONFIG, IMPORT, NIR))),
        f"{run.folder} holds a run; import into a folder of its own",
    )
