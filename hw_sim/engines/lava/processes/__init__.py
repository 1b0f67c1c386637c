"""Lava processes of a quantized network. Importing this package mends Lava first.

Lava's compiler executes every file of the folder that a process lives in: only processes and
their models belong here.
"""

from hw_sim.engines.lava.hook import mend_lava

mend_lava()
