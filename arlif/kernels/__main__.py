"""Compile the CPU kernels for this machine: `python -m arlif.kernels`."""

import logging
import sys

from arlif.base.errors import ArlifError
from arlif.kernels.build import build

logging.basicConfig(format="%(message)s")
try:
    build()
except ArlifError as error:
    sys.exit(f"error: {error}")
