"""Stands in for a side of the cell that can't start."""

import sys

sys.exit("the probe refuses to start today")
