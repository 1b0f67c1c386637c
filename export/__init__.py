"""File formats, each in a folder; beside them what several of them share."""
