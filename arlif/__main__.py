"""python -m arlif: the command line."""

from hw_sim.cli import main

main()
