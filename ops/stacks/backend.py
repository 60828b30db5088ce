"""Pulumi's state backend, beyond what the engine offers: lists stacks, reads locks, and removes one lock.

Supports the two kinds of backend that the product uses, a folder (`file://`) and a bucket (`s3://`). Leaves out what
the engine does itself. `pulumi cancel` removes every lock of a stack, also one that was taken a moment ago; `unlock`
removes only the lock whose holder has ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from ops import aws_clients, ways_out
from ops.errors import code_of
from ops.stacks.lock_holder import Lock, lock
from ops.state_place import Place, place

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PROJECT: Final = "myflux-keys"
STACKS: Final = f".pulumi/stacks/{PROJECT}/"
BOOTSTRAP: Final = "myflux-keys-bootstrap"
"""The project of `bootstrap`, in the same backend."""
ENDINGS: Final = (".json", ".json.gz", ".json.zst")
"""Of the files that hold states: plain, and as the engine compresses them."""
LOCKS: Final = ".pulumi/locks/organization/"
TAKEN: Final = "currently locked by"
"""In the engine's error where another process has the lock."""


def stacks(url: str) -> set[str] | None:
    """Names of the stacks that have a state; None for a backend that only the engine can read."""
    found = place(url)
    if found.scheme == "file":
        folder = Path(found.root) / STACKS
        return _names(path.name for path in folder.iterdir()) if folder.is_dir() else set()
    if found.scheme == "s3":
        prefix = f"{found.prefix}/{STACKS}".lstrip("/")
        pages = s3(found).get_paginator("list_objects_v2").paginate(Bucket=found.root, Prefix=prefix)
        return _names(item.get("Key", "").removeprefix(prefix) for page in pages for item in page.get("Contents", []))
    return None


def of_others(url: str) -> set[str]:
    """States in a bucket that are of other projects than the product's, as ``PROJECT/STACK``."""
    found = place(url)
    prefix = f"{found.prefix}/.pulumi/stacks/".lstrip("/")
    pages = s3(found).get_paginator("list_objects_v2").paginate(Bucket=found.root, Prefix=prefix)
    files = [item.get("Key", "").removeprefix(prefix) for page in pages for item in page.get("Contents", [])]
    states = {file.removesuffix(end) for file in files for end in ENDINGS if file.endswith(end)}
    return {state for state in states if state.partition("/")[0] not in (PROJECT, BOOTSTRAP)}


def has(url: str, stack: str, project: str = PROJECT) -> bool | None:
    """Whether the stack has a state, without listing the others; None for a backend that only the engine can read."""
    found, folder = place(url), f".pulumi/stacks/{project}/"
    if found.scheme == "file":
        return any((Path(found.root) / folder / f"{stack}{end}").is_file() for end in ENDINGS)
    if found.scheme == "s3":
        prefix = f"{found.prefix}/{folder}".lstrip("/")
        listed = s3(found).list_objects_v2(Bucket=found.root, Prefix=f"{prefix}{stack}.json").get("Contents", [])
        return stack in _names(item.get("Key", "").removeprefix(prefix) for item in listed)
    return None


def _names(files: Iterable[str]) -> set[str]:
    """The engine also keeps copies of a stack's state, whose names have other endings."""
    return {file.removesuffix(end) for file in files for end in ENDINGS if file.endswith(end) and "/" not in file}


def locks(url: str, stack: str, project: str = PROJECT) -> list[Lock]:
    """The locks of a stack, as the engine writes them; none for a backend that only the engine can read."""
    found = place(url)
    if found.scheme == "file":
        folder = Path(found.root) / LOCKS / project / stack
        return [lock(str(path), text) for path in sorted(folder.glob("*.json")) if (text := _text(path))]
    if found.scheme == "s3":
        client, prefix = s3(found), f"{found.prefix}/{LOCKS}{project}/{stack}/".lstrip("/")
        # Like the engine, not below the stack's folder: who writes another stack's locks might write there.
        listed = client.list_objects_v2(Bucket=found.root, Prefix=prefix, Delimiter="/")
        keys = [item.get("Key", "") for item in listed.get("Contents", [])]
        contents = [(key, _object(client, found.root, key)) for key in keys]
        return [lock(key, text) for key, text in contents if text]
    return []


def _text(path: Path) -> str:
    """Empty for a lock that was removed meanwhile, or is not yet written."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _object(client: S3Client, bucket: str, key: str) -> str:
    try:
        return client.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    except ClientError as error:
        if code_of(error) == "NoSuchKey":
            return ""
        raise


def unlock(url: str, stale: Lock) -> None:
    """Removes that one lock."""
    found = place(url)
    if found.scheme == "file":
        Path(stale.name).unlink(missing_ok=True)
        # The driver's own, which it writes beside each file.
        Path(f"{stale.name}.attrs").unlink(missing_ok=True)
    else:
        s3(found).delete_object(Bucket=found.root, Key=stale.name)


def notices(url: str) -> list[str]:
    """What is wrong with the bucket that holds the state: if the state is lost, every resource must be imported."""
    found = place(url)
    if found.scheme != "s3":
        return []
    try:
        versioning = s3(found).get_bucket_versioning(Bucket=found.root).get("Status")
    except ClientError as error:
        return [f"it could not be checked whether bucket {found.root} has versioning: {code_of(error)}"]
    if versioning == "Enabled":
        return []
    return [
        f"bucket {found.root} has no versioning, so an overwritten state is lost: "
        f"{ways_out.old_states_kept(found.root)}"
    ]


def s3(found: Place) -> S3Client:
    """A client, as the engine's own driver reads the address: https://gocloud.dev/howto/blob/#s3"""
    options: dict[str, Any] = {}
    endpoint = found.options.get("endpoint")
    if endpoint:
        plain = found.options.get("disablessl", found.options.get("disable_https", "")) == "true"
        options["endpoint_url"] = endpoint if "://" in endpoint else f"http{'' if plain else 's'}://{endpoint}"
    if found.options.get("region"):
        options["region_name"] = found.options["region"]
    by_path = found.options.get("s3forcepathstyle", found.options.get("use_path_style", "")) == "true"
    config = Config(read_timeout=aws_clients.FIRST_ANSWER_SECONDS, s3={"addressing_style": "path"} if by_path else None)
    session = boto3.Session(profile_name=found.options.get("profile"))
    return aws_clients.client("s3", session=session, config=config, **options)
