"""Checkpoints that a kill never leaves half written and that follow a run that was moved."""

from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from arlif.base.errors import FormatError, first_line, require
from arlif.base.files import atomic_path
from arlif.base.seal import is_sealed, sealed_path
from arlif.networks.weight_files import read_saved


def save(content: Any, target: Path, sealed: bool = False) -> None:
    """torch.save beside `target`, then in its place. Raises WriteError.

    sealed: whether the file ends in its own digest, behind what torch reads.
    """
    buffer = BytesIO()  # torch answers a full disk with a RuntimeError, Python with an OSError
    torch.save(content, buffer)
    with (sealed_path if sealed else atomic_path)(target) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def read_checkpoint(path: Path, sealed: bool) -> dict[str, Any]:
    """What a checkpoint holds. Raises FormatError where it is damaged.

    sealed: whether it must end in its own digest; those of an earlier arlif have none.
    """
    try:
        if not is_sealed(path) and sealed:
            raise FormatError("it does not end in its digest")
        found: dict[str, Any] = read_saved(path)
        epoch = found.get("epoch") if isinstance(found, dict) else None
        if type(epoch) is not int or epoch < 0:
            raise FormatError("it is none of a training here")
    except Exception as error:
        raise FormatError(
            f"{path} is damaged ({first_line(error)}); start the run anew (--overwrite)"
        ) from None
    return found


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target; Lightning's own writes in /tmp, from where a move may copy."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write a checkpoint atomically."""
        save(checkpoint, Path(path), sealed=True)


class EpochCheckpoint(ModelCheckpoint):
    """Writes `target` after an epoch: after every one, or after the best by a logged value."""

    def __init__(self, target: Path, monitor: str | None = None) -> None:
        super().__init__(
            target.parent,
            target.stem,
            monitor=monitor,
            mode="max",
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the state with the files where the run lies now.

        Raises FormatError where a score in it is no number.
        """
        scores = [*state_dict["best_k_models"].values(), *(state_dict[name] for name in _SCORES)]
        require(
            all(score is None or _is_score(score) for score in scores),
            "the score of its best epoch is no number",
            FormatError,
        )
        super().load_state_dict(
            state_dict
            | {
                "dirpath": self.dirpath,
                "best_k_models": {
                    self._here(path): score for path, score in state_dict["best_k_models"].items()
                },
                **{name: self._here(state_dict[name]) for name in _PATHS},
            }
        )

    def _here(self, path: str) -> str:
        return str(Path(str(self.dirpath)) / Path(path).name) if path else path


def _is_score(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype.is_floating_point and not value.ndim


_SCORES = ("best_model_score", "current_score", "kth_value")
_PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")
