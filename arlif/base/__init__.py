"""What everything stands on: errors, files, plain data, worker processes."""
