"""Engines that run exported projects: each builds what was exported and reads what it did."""
