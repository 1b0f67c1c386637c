"""Simulators of what is shipped, and what is learnt from comparing them."""

from arlif.base.own_packages import require_found

require_found()
