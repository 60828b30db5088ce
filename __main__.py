"""What the engine runs: `pulumi up --stack <cell>` or `pulumi up --stack <tenant>.<cell>`."""

import program

program.deploy()
