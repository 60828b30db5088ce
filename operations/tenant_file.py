"""Changing `enabled` in a tenant's file as a person would: one word on one line, everything else as it was.

Owns the edit and its proof: the file is parsed before and after, and nothing else may differ. Leaves out applying it.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Final

from operations.errors import OperationError
from tenancy import document, source

_LINE: Final = re.compile(r"^(enabled[ \t]*:[ \t]*)(true|false)(?=[ \t]*(?:#.*)?\r?$)", re.MULTILINE)


def with_enabled(text: str, enabled: bool) -> str:
    """`text` with the field changed, or added at the end where it was left out."""
    word = "true" if enabled else "false"
    changed, count = _LINE.subn(rf"\g<1>{word}", text, count=1)
    if count:
        return changed
    newline = "\r\n" if "\r\n" in text else "\n"
    return text + ("" if text.endswith("\n") else newline) + f"enabled: {word}{newline}"


class TenantFile:
    """`fleet` is the folder that holds tenants/."""

    def __init__(self, fleet: Path, tenant: str) -> None:
        self._fleet = fleet
        self.path = fleet / "tenants" / f"{tenant}.yaml"

    def enabled(self) -> bool:
        return bool(self._parsed(self._text()).get("enabled", True))

    def set_enabled(self, enabled: bool) -> bool:
        """False where the file says so already. Raises OperationError, and changes nothing, where the file is written
        in a way that cannot be changed safely."""
        before = self._text()
        if self._parsed(before).get("enabled", True) is enabled:
            return False
        after = with_enabled(before, enabled)
        if self._parsed(after) != self._parsed(before) | {"enabled": enabled}:
            raise OperationError(
                f"{self.path}: `enabled` does not stand on a line of its own, so it is not changed here. Write "
                f"`enabled: {'true' if enabled else 'false'}` yourself and run the command again. Nothing was changed."
            )
        self._replace(after)
        return True

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
        """Whole or not at all, through a link to the file itself, with the rights it had."""
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
