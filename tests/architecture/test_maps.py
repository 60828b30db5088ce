"""The docstring of a folder's `__init__` maps it: it names each of the folder's modules, and nothing that is gone.

A map is a list of names, a line each or several on a line, by subject. `functions/__init__.py` may not map the folders
below it: each is packed with its own map, for who reads the code in AWS.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.test_import_direction import PLACES, REPOSITORY, product_files

MANY = 5
"""A folder with more modules than that needs a map."""
KEPT_ELSEWHERE = {
    "myflux_keys": "myflux_keys/names.py",
}
