"""Whether a stack's state can be read, and what to do where a killed engine or a full disk has cut it short.

Reads the state where the engine keeps it, before the engine does. In a folder it repairs: a damaged file of attributes
is removed, since the engine's driver does without one, as is a file that the driver had not written to its end, and a
damaged state is replaced by the engine's copy of the one before. In a bucket, where an upload is whole or is none, it
names the version to go back to. Sources:
https://github.com/google/go-cloud/blob/master/blob/fileblob/attrs.go (a missing file of attributes is no error)
https://github.com/google/go-cloud/blob/master/blob/fileblob/fileblob.go (createTemp: drafts' names)
https://github.com/pulumi/pulumi/blob/master/pkg/backend/diy/state.go (saveCheckpoint: the copy comes first)
"""

from __future__ import annotations

import gzip
import json
import re
import shlex
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from ops.errors import Unreadable
from ops.stacks import backend, older_states
from ops.stacks.backend import PROJECT
from ops.state_place import place

UNREADABLE: Final = "failed to load checkpoint"
"""In the engine's error where it cannot read a state."""
_ATTRIBUTES: Final = ".attrs"
_BACKUP: Final = ".bak"
_COMPRESSED_UNREAD: Final = ".zst"
"""Python's standard library reads no zstd before 3.14."""


@dataclass(frozen=True)
class Opened:
    """`repaired` holds phrases for the report. `cut_off`: an engine ended in the middle, so resources may exist that
    the state does not know."""

    repaired: tuple[str, ...] = ()
    cut_off: bool = False


def opened(url: str, stack: str, project: str = PROJECT) -> Opened:
    """Call it while nobody else works on the stack. A stack without a state is in order, and so is what only the engine
    can read. Raises Unreadable with the command to type."""
    found = place(url)
    if found.scheme == "s3":
        content = older_states.current(url, stack, project)
        if content is None:
            return Opened()
        state = parsed(content.name, content.text)
        if state is None:
            where = f"s3://{found.root}/{content.name}"
            back = older_states.way_back(url, content.name, lambda name, text: parsed(name, text) is not None)
            raise Unreadable(
                f"the state {where} is damaged: {back}, then `pulumi refresh --stack {stack}`, then run the same "
                "command again. Nothing was changed."
            )
        return Opened(cut_off=_has_pending(state))
    if found.scheme != "file":
        return Opened()
    root = Path(found.root) / ".pulumi"
    removed = [path for path in _attributes(root, stack, project) if _remove_damaged(path)]
    removed += _removed_drafts(root / "stacks" / project, stack)
    repaired = [f"{path.name}, which was cut short, was removed" for path in removed]
    for file in _states(root, stack, project):
        state = parsed(file.name, file.read_bytes())
        if state is None:
            repaired.append(_replaced(url, file, stack, project))
            return Opened(tuple(repaired), cut_off=True)
        return Opened(tuple(repaired), cut_off=bool(removed) or _has_pending(state))
    return Opened(tuple(repaired))


def parsed(name: str, content: bytes) -> dict[str, Any] | None:
    """The state in a file of this name; None where it is damaged. What cannot be read here counts as whole."""
    if name.endswith(_COMPRESSED_UNREAD):
        return {}
    try:
        text = gzip.decompress(content) if name.endswith(".gz") else content
        state = json.loads(text)
    except (ValueError, OSError, EOFError, zlib.error):
        return None
    return (
        cast(dict[str, Any], state)
        if isinstance(state, dict) and isinstance(cast(Any, state).get("checkpoint"), dict)
        else None
    )


def _has_pending(state: dict[str, Any]) -> bool:
    checkpoint: dict[str, Any] = state["checkpoint"]
    latest: dict[str, Any] = checkpoint.get("latest") or {}
    return bool(latest.get("pending_operations"))


def _states(root: Path, stack: str, project: str) -> list[Path]:
    files = [root / "stacks" / project / f"{stack}{ending}" for ending in backend.ENDINGS]
    return [file for file in files if file.is_file()]


def _attributes(root: Path, stack: str, project: str) -> list[Path]:
    """The files of attributes that the engine reads before it works on the stack."""
    states = root / "stacks" / project
    locks = root / "locks" / "organization" / project / stack
    return [
        root / f"meta.yaml{_ATTRIBUTES}",
        *(states / f"{stack}{ending}{_ATTRIBUTES}" for ending in backend.ENDINGS),
        *(states / f"{stack}{ending}{_BACKUP}{_ATTRIBUTES}" for ending in backend.ENDINGS),
        *locks.glob(f"*{_ATTRIBUTES}"),
    ]


def _remove_damaged(path: Path) -> bool:
    """Safe also while an engine writes there: it then has none."""
    try:
        json.loads(path.read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        path.unlink(missing_ok=True)
        return True
    return False


def _removed_drafts(states: Path, stack: str) -> list[Path]:
    """What the engine's driver had begun to write, and would have renamed when it was whole."""
    endings = "|".join(re.escape(ending) for ending in backend.ENDINGS)
    draft = re.compile(rf"{re.escape(stack)}(?:{endings})(?:{re.escape(_BACKUP)})?(?:{_ATTRIBUTES})?\.[0-9a-f]+\.tmp")
    found = [path for path in states.glob("*.tmp") if draft.fullmatch(path.name)]
    for path in found:
        path.unlink(missing_ok=True)
    return found


def _replaced(url: str, file: Path, stack: str, project: str) -> str:
    """Puts the engine's copy in the damaged state's place, or removes the state of a stack that never had another."""
    held = backend.locks(url, stack, project)
    if held:
        raise Unreadable(
            f"the state {file} is damaged, and the stack is locked by {held[0]}: wait until that process has ended, "
            "then run the same command again. Nothing was changed."
        )
    backup = file.with_name(file.name + _BACKUP)
    older = older_states.in_folder(file.parents[2], stack, project)
    if backup.is_file() and parsed(file.name, copy := backup.read_bytes()) is not None:
        draft = file.with_name(file.name + ".restored")
        draft.write_bytes(copy)
        _set_aside(file)
        draft.replace(file)
        return (
            f"its state {file.name} was damaged and was replaced by {backup.name}, the engine's copy of the one before"
        )
    whole = next((path for path in older if parsed(path.name, path.read_bytes()) is not None), None)
    if whole is not None:
        raise Unreadable(
            f"the state {file} is damaged, and so is the engine's copy of the one before. The newest whole one is of "
            f"an earlier run, and does not know what was made since: `cp {shlex.quote(str(whole))} "
            f"{shlex.quote(str(file))}`, then `pulumi refresh --stack {stack}`, then run the same command again. "
            "Nothing was changed."
        )
    if backup.exists() or older:
        raise Unreadable(
            f"the state {file} is damaged, and so is each copy of it: restore that file from a backup of the folder. "
            "Nothing was changed."
        )
    # The engine copies each state before it writes the next: without a copy this was the first, which has no resource.
    _set_aside(file)
    return f"its state {file.name} was damaged before the stack had a resource, and was removed"


def _set_aside(file: Path) -> None:
    """What is left of a damaged state is kept, for a person."""
    if file.stat().st_size:
        file.replace(file.with_name(file.name + ".damaged"))
    else:
        file.unlink()
