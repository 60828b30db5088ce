"""Pulumi's engine runs this file, for `myflux-keys bootstrap CELL`: one stack for each cell, named as the cell.

A project of its own, so that no tenant's name is taken, and that no pipeline's rights on state reach its stacks.
"""

import os
from pathlib import Path

import program
from tenancy.loading import FLEET
from tenancy.pipeline import OWN_ISSUERS

program.deploy_bootstrap(Path(os.environ.get(FLEET, program.ROOT)), os.environ.get(OWN_ISSUERS))
