"""What a number is on torch: interpreters of the steps, and exact sums of integers."""
