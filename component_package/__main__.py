"""What the engine runs: `python component_package ENGINE_ADDRESS`. Serves the components until the engine ends it."""

import sys
from pathlib import Path


def serve() -> None:
    # This folder comes first on the path; what it imports stands beside it, under the repository's root.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from pulumi.provider import main

    from component_package.plugin import Package

    main(Package(), sys.argv[1:])


serve()
