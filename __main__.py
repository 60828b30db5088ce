"""Pulumi's engine runs this file: `pulumi up --stack <cell>` or `pulumi up --stack <tenant>.<cell>`.

Only this file reads the environment; the program gets everything as arguments.
"""

import os
from pathlib import Path

import program
from tenancy.address import LOCAL_OPENAI_URL
from tenancy.loading import FLEET

program.deploy(
    Path(os.environ.get(FLEET, program.ROOT)),
    adopt=os.environ.get(program.ADOPT) or None,
    local_openai_url=os.environ.get(LOCAL_OPENAI_URL) or None,
)
