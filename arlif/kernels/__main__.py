"""Compile the CPU kernels for this machine: `python -m arlif.kernels`."""

import logging
import sys

from arlif.base.errors import ArlifError
from arlif.kernels import cpu, integer_update
from arlif.kernels.build import SYNAPSES, build

logging.basicConfig(format="%(message)s")
try:
    for source in (SYNAPSES, cpu.built_in_source(), integer_update.built_in_source()):
        build(source)
except ArlifError as error:
    sys.exit(f"error: {error}")
