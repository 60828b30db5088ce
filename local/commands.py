"""The commands that a local cell puts on PATH, each only if the official one is missing.

Owns ``<home>/bin``: `pulumi` (a link to the engine that `tools.engine` keeps), `pulumi-language-python` (our language
host) and `pulumi-resource-aws` (our stand-in for the AWS provider). Leaves out what they do. A machine on which Pulumi
and its AWS plugin are installed gets an empty folder: the same program then runs through the official ones.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from local.process import REPOSITORY
from tools import engine

_STUB: Final = """\
#!/bin/sh
exec {python} -c 'import runpy, sys; sys.path[0] = sys.argv.pop(1); import local.messages_only; \
runpy.run_module("{module}", run_name="__main__")' {repository} "$@"
"""
"""The repository is on this one process's path and in nobody's environment: the programs it starts don't inherit it."""

_NO_ENGINE: Final = """\
#!/bin/sh
echo "pulumi: the engine is not installed: run 'make engine' in" {repository} >&2
exit 127
"""


def path(folder: Path, environment: Mapping[str, str]) -> str:
    """`environment`'s PATH with `folder` in front, holding what is missing on it. Safe to call again, and at once."""
    official = os.pathsep.join(
        entry for entry in environment.get("PATH", os.defpath).split(os.pathsep) if entry != str(folder)
    )
    folder.mkdir(mode=0o700, exist_ok=True)
    found = engine.locate({**environment, "PATH": official})
    if found is None:
        _script(folder / "pulumi", _NO_ENGINE.format(repository=shlex.quote(str(REPOSITORY))))
    elif found.source == "path":
        (folder / "pulumi").unlink(missing_ok=True)
    else:
        _link(folder / "pulumi", found.pulumi)
    # The engine also looks beside its own executable, which is where official installations keep language hosts.
    beside = os.pathsep.join([official, str(found.pulumi.resolve().parent)]) if found else official
    ours = {
        "pulumi-language-python": ("local.language_host", shutil.which("pulumi-language-python", path=beside)),
        "pulumi-resource-aws": ("local.provider", _official_aws_plugin(official, environment)),
    }
    for name, (module, theirs) in ours.items():
        if theirs:
            (folder / name).unlink(missing_ok=True)
        else:
            stub(folder / name, module)
    return os.pathsep.join([str(folder), official])


def _official_aws_plugin(official: str, environment: Mapping[str, str]) -> str | None:
    """The AWS provider on PATH, or the version that our pulumi-aws asks for where the engine keeps plugins."""
    home = Path(environment.get("PULUMI_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".pulumi")
    kept = home / "plugins" / f"resource-aws-v{metadata.version('pulumi-aws')}"
    return shutil.which("pulumi-resource-aws", path=os.pathsep.join([official, str(kept)]))


def stub(target: Path, module: str) -> None:
    """Makes `target` a command that runs `module` from this repository with this Python."""
    python, repository = shlex.quote(sys.executable), shlex.quote(str(REPOSITORY))
    _script(target, _STUB.format(python=python, module=module, repository=repository))


def _script(target: Path, text: str) -> None:
    if target.is_file() and not target.is_symlink() and target.read_text(encoding="utf-8") == text:
        return
    descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=".draft-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(draft).chmod(0o755)
    Path(draft).replace(target)


def _link(target: Path, source: Path) -> None:
    if target.is_symlink() and target.readlink() == source:
        return
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=".draft-")) / target.name
    draft.symlink_to(source)
    draft.replace(target)
    draft.parent.rmdir()
