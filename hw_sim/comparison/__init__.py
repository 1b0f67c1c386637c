"""What differs: engine against engine bit for bit, float against integers in shares."""
