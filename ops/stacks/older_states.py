"""Earlier states of a stack: copies of the engine's in a folder, an object's versions in a bucket.

Leaves out what counts as whole in a folder (`state_file`).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from botocore.exceptions import ClientError

from ops.errors import code_of
from ops.stacks import backend
from ops.state_place import place

_LOOKED_AT: Final = 20
"""Versions of one object that are read, newest first: a damaged one follows a whole one."""


@dataclass(frozen=True)
class Content:
    """`name` is the object's key."""

    name: str
    text: bytes


def current(url: str, stack: str, project: str) -> Content | None:
    """The stack's state in a bucket; None where there is none. Raises botocore's errors."""
    found = place(url)
    client, start = backend.s3(found), f"{found.prefix}/.pulumi/stacks/{project}/{stack}".lstrip("/")
    listed = client.list_objects_v2(Bucket=found.root, Prefix=f"{start}.json").get("Contents", [])
    there = {item.get("Key", "") for item in listed}
    for key in (f"{start}{ending}" for ending in backend.ENDINGS):
        if key in there:
            return Content(key, client.get_object(Bucket=found.root, Key=key)["Body"].read())
    return None


def way_back(url: str, key: str, whole: Callable[[str, bytes], bool]) -> str:
    """The command that makes the newest whole version of an object in a bucket its current one again."""
    found = place(url)
    client, path = backend.s3(found), f"{found.root}/{key}"
    try:
        listed = client.list_object_versions(Bucket=found.root, Prefix=key).get("Versions", [])
        older = [version for version in listed if version.get("Key") == key and not version.get("IsLatest")]
        older.sort(key=lambda version: version["LastModified"].timestamp() if "LastModified" in version else 0.0)
        for version in older[: -_LOOKED_AT - 1 : -1]:
            number = version.get("VersionId", "")
            content = client.get_object(Bucket=found.root, Key=key, VersionId=number)["Body"].read()
            if whole(key, content):
                source = shlex.quote(f"{path}?versionId={number}")
                when = f"{version['LastModified']:%Y-%m-%d %H:%M} UTC" if "LastModified" in version else "unknown time"
                return (
                    f"go back to the version of {when}: `aws s3api copy-object --bucket {found.root} --key {key} "
                    f"--copy-source {source}`"
                )
        copy = client.get_object(Bucket=found.root, Key=f"{key}.bak")["Body"].read()
    except ClientError as error:
        return f"its earlier versions cannot be read ({code_of(error)}): go back to a whole one in bucket {found.root}"
    if whole(key, copy):
        return f"go back to the engine's copy of the one before: `aws s3 cp s3://{path}.bak s3://{path}`"
    return f"neither its last {_LOOKED_AT} versions nor the engine's copy is whole: restore it from a backup"


def in_folder(root: Path, stack: str, project: str) -> list[Path]:
    """The engine's copies of earlier runs below `root`, the folder `.pulumi`, newest first."""
    ended = (root / "history" / project / stack).glob(f"{stack}-*.checkpoint.json*")
    begun = (root / "backups" / project / stack).glob(f"{stack}.*.json*")
    files = [path for path in (*ended, *begun) if not path.name.endswith(".attrs")]
    return sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)
