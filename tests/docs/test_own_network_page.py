"""The page that trains a network of one's own does what it says, word for word."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.command_line import Cli
from support.pages import run_blocks


@pytest.mark.filterwarnings("ignore")
def test_the_page_trains_makes_integers_and_a_file_that_verbs_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {}
    run_blocks("own-network.md", scope)
    held = scope["held"].tensors
    assert scope["result"].accuracy(held[1].numpy()) > 0.7
    np.save("images.npy", held[0][None].numpy())
    assert cli("import", "own.nir", "runs/own")[0] == 0
    assert cli("simulate", "runs/own", "--inputs", "images.npy")[0] == 0
    assert cli("export", "runs/own", "--c")[0] == 0
    assert cli("map", "runs/own")[0] == 0
