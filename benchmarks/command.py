"""How a benchmark begins and ends where a person starts it, and where its numbers go."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from arlif.base.errors import ArlifError


def command(main: Callable[[], None]) -> None:
    """Run a benchmark; what arlif refuses is one line with its cure, and the exit code 2."""
    try:
        main()
    except ArlifError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)


def save(folder: Path, name: str, content: object) -> None:
    """Write content as JSON to folder/name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content, indent=2) + "\n")
