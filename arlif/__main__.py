"""The command line, as `arlif` and as `python -m arlif`."""

import sys

from arlif.base.own_packages import require_found


def main() -> None:
    """Run the command line, or say in one line which module hides it."""
    try:
        require_found()
    except ImportError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)
    from hw_sim import cli

    cli.main()


if __name__ == "__main__":
    main()
