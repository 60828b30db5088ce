"""Edits fields of a tenant's file and keeps every other character; moves the file to tenants/archive/.

Owns the edit and its check: the file is parsed before and after, and only these may differ. Leaves out deploying.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ops.errors import OperationError
from tenancy import TenancyError, archive, document, source
from tenancy.tenant import MANAGED_ONLY


class TenantFile:
    """`fleet` is the folder that holds tenants/."""

    def __init__(self, fleet: Path, tenant: str) -> None:
        self._fleet = fleet
        self.path = fleet / "tenants" / f"{tenant}.yaml"

    def enabled(self) -> bool:
        return bool(self._parsed().data.get("enabled", True))

    def said_of_enabled(self) -> str:
        """``true``, ``false``, or ``absent`` where the file leaves it out, which means true."""
        data = self._parsed().data
        return str(bool(data["enabled"])).lower() if "enabled" in data else "absent"

    def set_enabled(self, enabled: bool) -> bool:
        """False where the file already has this value. Raises OperationError, and changes nothing, where the field
        cannot be changed safely; TenancyError where the file cannot be read."""
        if self.enabled() is enabled:
            return False
        self._replace(self._with("enabled", enabled))
        return True

    def moved(self, cell: str) -> str:
        """The file's text with this `cell`; writes nothing. Raises what `set_enabled` does."""
        return self._with("cell", cell)

    def with_fields(self, fields: Mapping[str, str | bool | None]) -> str:
        """The file's text with these fields; None takes one away. Writes nothing. Raises what `set_enabled` does."""
        text: str | None = None
        for field, value in fields.items():
            text = self._without(field, text) if value is None else self._with(field, value, text)
        return self._text() if text is None else text

    def without_keys(self, text: str) -> str:
        """`text` without the fields of minted keys, as the file is before a customer gives their admin key."""
        data = self._parsed(text).data
        return json.dumps({field: value for field, value in data.items() if field not in MANAGED_ONLY})

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

    def _with(self, field: str, value: str | bool, text: str | None = None) -> str:
        """The file's text, or `text`, with `field` changed where the parser found it, or added at the end where it is
        missing."""
        word = value if isinstance(value, str) else str(value).lower()
        before = self._parsed(text)
        text = self._text() if text is None else text
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        text = text.removeprefix(mark)
        if span := before.spans.get((field,)):
            start, end = span
            after = f"{text[:start]}{word}{text[end:]}"
        else:
            newline = "\r\n" if "\r\n" in text else "\n"
            after = f"{text}{'' if text.endswith(newline) else newline}{field}: {word}{newline}"
        try:
            written = self._parsed(after)
        except TenancyError:
            written = None
        if written is None or written.problems or written.data != before.data | {field: value}:
            raise OperationError(
                f"{self.path}: `{field}` cannot be changed safely in a file that is written in this way. Write "
                f"`{field}: {word}` yourself and run the command again. Nothing was changed."
            )
        return mark + after

    def _without(self, field: str, text: str | None = None) -> str:
        """The file's text, or `text`, without the line of `field`."""
        before = self._parsed(text)
        text = self._text() if text is None else text
        span = before.spans.get((field,))
        if span is None:
            return text
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        bare = text.removeprefix(mark)
        begin = bare.rfind("\n", 0, span[0]) + 1
        end = bare.find("\n", span[1])
        after = mark + bare[:begin] + (bare[end + 1 :] if end >= 0 else "")
        try:
            written = self._parsed(after)
        except TenancyError:
            written = None
        left = {name: value for name, value in before.data.items() if name != field}
        if written is None or written.problems or written.data != left:
            raise OperationError(
                f"{self.path}: `{field}` cannot be taken away safely from a file that is written in this way. Delete "
                f"it yourself and run the command again. Nothing was changed."
            )
        return after

    def _text(self) -> str:
        with self.path.open(encoding="utf-8", newline="") as file:
            return file.read()

    def _parsed(self, text: str | None = None) -> document.Document:
        """The file as the loader reads it, or `text` instead. Raises TenancyError."""
        try:
            return document.parse(source.read(self.path, self._fleet, text))
        except source.Refused as refused:
            raise TenancyError(refused.problems) from None

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
