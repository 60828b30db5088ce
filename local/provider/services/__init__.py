"""The resource types, one service or part of it a file. Each file ends in `RESOURCES`, what the registry reads."""
