"""The component package as a folder that the engine can run without installing anything.

The shipped folder names a virtual environment of its own, which `pulumi install` fills. This one names the environment
that the tests run in and holds no requirements, so an installation has nothing to write there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from local.process import REPOSITORY


def plugin_folder(folder: Path) -> Path:
    """Makes `folder`, for a project's `packages` to name, and returns it."""
    folder.mkdir(parents=True)
    description = {"name": "myflux", "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}}}
    (folder / "PulumiPlugin.yaml").write_text(json.dumps(description), encoding="utf-8")
    program = f"import runpy\n\nrunpy.run_path({str(REPOSITORY / 'component_package')!r}, run_name='__main__')\n"
    (folder / "__main__.py").write_text(program, encoding="utf-8")
    return folder
