"""The bootstrap of a cell, from its decisions to its whole life on the local cell."""
