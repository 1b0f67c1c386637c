"""How a benchmark begins and ends where a person starts it."""

import sys
from collections.abc import Callable

from arlif.base.errors import ArlifError


def command(main: Callable[[], None]) -> None:
    """Run a benchmark; what arlif refuses is one line with its cure, and the exit code 2."""
    try:
        main()
    except ArlifError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
