"""The command line: one verb per stage, in the order of the pipeline.

The shell above all packages; verbs import what they need when they run, so that help is instant.
"""

from arlif.cli.app import main

__all__ = ["main"]
