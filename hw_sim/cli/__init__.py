"""The command line: one verb per stage, in the order of the pipeline.

The shell above all packages; verbs import what they need when they run, so that help is instant.
"""

from hw_sim.cli.interrupt import one_line_on_ctrl_c

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    with one_line_on_ctrl_c():
        from hw_sim.cli.app import run

        run(arguments)
