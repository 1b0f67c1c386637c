"""Simulators of what is shipped, and what is learnt from comparing them."""
