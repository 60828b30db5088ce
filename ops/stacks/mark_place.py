"""Where marks are kept: beside the state, in its folder or bucket. Reads states' versions and locks there, too.

Who may write a tenant's state may write its mark; nobody else may. A bucket encrypts a mark as it encrypts the state.
Leaves out what a mark says (`mark`). A state that the engine compresses gets no mark.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import ClientError

from ops import state_place
from ops.errors import code_of
from ops.stacks import backend

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_ENDING: Final = ".json.mark"
"""Begins like the state's own files: so the rights to those are the rights to this, and the engine passes it over."""


@dataclass(frozen=True)
class State:
    """A state's file. `version` differs after each time that it was written."""

    version: str
    text: str


class MarkPlace(Protocol):
    """Made by `opened`, for one command: what is read of all stacks at once is read once."""

    def state(self, stack: str) -> State | None:
        """None where there is no such file, or more than one."""
        ...

    def version(self, stack: str) -> str | None:
        """As `state` has it."""
        ...

    def locked(self) -> frozenset[str]:
        """The stacks that have a lock."""
        ...

    def mark(self, stack: str) -> str:
        """Empty where there is none."""
        ...

    def leave(self, stack: str, text: str) -> None: ...

    def void(self, stack: str) -> None:
        """Removes the mark, if there is one."""
        ...


def opened(url: str) -> MarkPlace | None:
    """None for a backend that only the engine can read."""
    if not url:
        return None
    found = state_place.place(url)
    if found.scheme == "file":
        return Folder(Path(found.root))
    return Bucket(backend.s3(found), found.root, found.prefix) if found.scheme == "s3" else None


class Folder:
    def __init__(self, root: Path) -> None:
        self._stacks = root / backend.STACKS
        self._locks = root / backend.LOCKS / backend.PROJECT

    def state(self, stack: str) -> State | None:
        paths = [path for end in backend.ENDINGS if (path := self._stacks / f"{stack}{end}").is_file()]
        if [path.suffix for path in paths] != [".json"]:
            return None
        try:
            # The time first: a write in between makes a version that no file has.
            moment, content = paths[0].stat().st_mtime_ns, paths[0].read_bytes()
        except FileNotFoundError:
            return None
        version = f"{hashlib.sha256(content).hexdigest()} {moment}"
        return State(version, content.decode(errors="replace"))

    def version(self, stack: str) -> str | None:
        found = self.state(stack)
        return found.version if found else None

    def locked(self) -> frozenset[str]:
        folders = self._locks.iterdir() if self._locks.is_dir() else ()
        return frozenset(folder.name for folder in folders if folder.is_dir() and any(folder.iterdir()))

    def mark(self, stack: str) -> str:
        try:
            return self._mark(stack).read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def leave(self, stack: str, text: str) -> None:
        draft = self._mark(stack).with_suffix(".draft")
        draft.write_text(text, "utf-8")
        draft.replace(self._mark(stack))

    def void(self, stack: str) -> None:
        self._mark(stack).unlink(missing_ok=True)

    def _mark(self, stack: str) -> Path:
        return self._stacks / f"{stack}{_ENDING}"


class Bucket:
    def __init__(self, client: S3Client, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._stacks = f"{prefix}/{backend.STACKS}".lstrip("/")
        self._locks = f"{prefix}/{backend.LOCKS}{backend.PROJECT}/".lstrip("/")

    def state(self, stack: str) -> State | None:
        version = _only(dict(self._listed(f"{self._stacks}{stack}.json")), f"{self._stacks}{stack}")
        if version is None:
            return None
        found = self._object(f"{self._stacks}{stack}.json")
        # Written between the two calls: then nobody knows what was read.
        return State(version, found[1]) if found and found[0] == version else None

    def version(self, stack: str) -> str | None:
        return _only(self._all, f"{self._stacks}{stack}")

    def locked(self) -> frozenset[str]:
        # Also what is below a lock's folder, which the engine passes over: such a stack is only not passed over.
        return frozenset(key.removeprefix(self._locks).partition("/")[0] for key, _ in self._listed(self._locks))

    def mark(self, stack: str) -> str:
        if self._mark(stack) not in self._all:
            return ""
        found = self._object(self._mark(stack))
        return found[1] if found else ""

    def leave(self, stack: str, text: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=self._mark(stack), Body=text.encode())

    def void(self, stack: str) -> None:
        # Looked for first: where versions are kept, deleting what is not there leaves a marker each time.
        if any(key == self._mark(stack) for key, _ in self._listed(self._mark(stack))):
            self._client.delete_object(Bucket=self._bucket, Key=self._mark(stack))

    def _mark(self, stack: str) -> str:
        return f"{self._stacks}{stack}{_ENDING}"

    @cached_property
    def _all(self) -> dict[str, str]:
        return dict(self._listed(self._stacks))

    def _listed(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Keys with their versions: a key that was written again within a second has another ETag."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            for item in page.get("Contents", []):
                yield item.get("Key", ""), _version(item)

    def _object(self, key: str) -> tuple[str, str] | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if code_of(error) == "NoSuchKey":
                return None
            raise
        return _version(answer), answer["Body"].read().decode(errors="replace")


def _version(answer: Any) -> str:
    """From an answer of ListObjectsV2 or of GetObject, whose times are to the second."""
    return f"{answer.get('ETag', '')} {int(answer['LastModified'].timestamp())}"


def _only(versions: dict[str, str], path: str) -> str | None:
    """The version of the one file that is the stack's state."""
    found = [end for end in backend.ENDINGS if path + end in versions]
    return versions[path + ".json"] if found == [".json"] else None
