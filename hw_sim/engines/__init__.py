"""Everything that can run a network, side by side; hw_sim.engines.table lists them."""
