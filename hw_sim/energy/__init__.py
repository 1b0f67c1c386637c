"""Energy by events: operations counted in simulation, and what they cost."""
