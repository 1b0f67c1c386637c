"""python -m arlif: the command line."""

from arlif.cli import main

main()
