"""Compile the CPU kernels for this machine: `python -m arlif.kernels`."""

import logging
import sys

from arlif.base.errors import ArlifError
from arlif.kernels.build import EVENTS, build
from arlif.kernels.integer_update import built_in_source

logging.basicConfig(format="%(message)s")
try:
    for source in (EVENTS, built_in_source()):
        build(source)
except ArlifError as error:
    sys.exit(f"error: {error}")
