"""Pulumi's engine runs `python component_package ENGINE_ADDRESS`. Serves the components until the engine ends it."""

import sys
from pathlib import Path


def serve() -> None:
    # This folder is first on the path, but its imports are under the repository's root.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from pulumi.provider import main

    from component_package.plugin import Package

    main(Package(), sys.argv[1:])


serve()
