"""Edits one field of a tenant's file and keeps every other character; moves the file to tenants/archive/.

Owns the edit and its check: the file is parsed before and after, and only that field may differ. Leaves out deploying.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from ops.errors import OperationError
from tenancy import archive, document, source
from tenancy.tenant import MANAGED_ONLY

_WORDS: Final = {"enabled": "true|false", "cell": "[a-z0-9-]+"}
"""The fields that can be changed here, with a pattern of their values."""


def with_enabled(text: str, enabled: bool) -> str:
    """`text` with the field changed, or added at the end where the file does not have it."""
    return _with(text, "enabled", "true" if enabled else "false")


def with_cell(text: str, cell: str) -> str:
    return _with(text, "cell", cell)


def _with(text: str, field: str, word: str) -> str:
    line = re.compile(rf"^({field}[ \t]*:[ \t]*)({_WORDS[field]})(?=[ \t]*(?:#.*)?\r?$)", re.MULTILINE)
    changed, count = line.subn(rf"\g<1>{word}", text, count=1)
    if count:
        return changed
    newline = "\r\n" if "\r\n" in text else "\n"
    return text + ("" if text.endswith("\n") else newline) + f"{field}: {word}{newline}"


class TenantFile:
    """`fleet` is the folder that holds tenants/."""

    def __init__(self, fleet: Path, tenant: str) -> None:
        self._fleet = fleet
        self.path = fleet / "tenants" / f"{tenant}.yaml"

    def enabled(self) -> bool:
        return bool(self._parsed(self._text()).get("enabled", True))

    def set_enabled(self, enabled: bool) -> bool:
        """False where the file already has this value. Raises OperationError, and changes nothing, where the field
        cannot be changed safely."""
        before = self._text()
        if self._parsed(before).get("enabled", True) is enabled:
            return False
        self._replace(self._proven(before, with_enabled(before, enabled), "enabled", enabled))
        return True

    def moved(self, cell: str) -> str:
        """The file's text with this `cell`; writes nothing. Raises OperationError as `set_enabled` does."""
        before = self._text()
        return self._proven(before, with_cell(before, cell), "cell", cell)

    def without_keys(self, text: str) -> str:
        """`text` without the fields of minted keys, as the file is before a customer gives their admin key."""
        return json.dumps({field: value for field, value in self._parsed(text).items() if field not in MANAGED_ONLY})

    def write(self, text: str) -> None:
        self._replace(text)

    def archive(self) -> bool:
        """Moves the file to tenants/archive/; False where it is no longer in tenants/."""
        if not self.path.exists():
            return False
        kept = archive.place(self._fleet, self.path.stem)
        kept.parent.mkdir(exist_ok=True)
        self.path.replace(kept)
        return True

    def _proven(self, before: str, after: str, field: str, value: object) -> str:
        if self._parsed(after) != self._parsed(before) | {field: value}:
            word = str(value).lower() if isinstance(value, bool) else value
            raise OperationError(
                f"{self.path}: `{field}` is not on a line of its own, so it cannot be changed safely. Write "
                f"`{field}: {word}` yourself and run the command again. Nothing was changed."
            )
        return after

    def _text(self) -> str:
        with self.path.open(encoding="utf-8", newline="") as file:
            return file.read()

    def _parsed(self, text: str) -> dict[str, object]:
        label = self.path.relative_to(self._fleet).as_posix()
        try:
            return document.parse(source.Source(label, self.path.stem, text.removeprefix("\ufeff"))).data
        except source.Refused:
            return {}

    def _replace(self, text: str) -> None:
        """Atomic; follows a symbolic link, and keeps the file's permissions."""
        target = self.path.resolve()
        descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            Path(draft).chmod(target.stat().st_mode & 0o777)
            Path(draft).replace(target)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
