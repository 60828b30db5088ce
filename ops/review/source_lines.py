"""Finds the line of a file that causes a property of a resource.

Owns the choice between the two files that may cause a fault: the tenant's or cell's file, and the component. It prefers
the one that the branch changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from ops.review.file_line import Place
from ops.review.registered import Registered
from tenancy import document, source

_FIELDS: Final[tuple[tuple[str, str, str, document.FieldPath], ...]] = (
    ("aws:cloudwatch/logGroup:LogGroup", "retentionInDays", "cells", ("log_retention_days",)),
    ("aws:cloudwatch/eventTarget:EventTarget", "input", "cells", ("health", "every_minutes")),
    ("aws:iam/role:Role", "assumeRolePolicy", "cells", ("runtime_principals",)),
    ("aws:kms/key:Key", "deletionWindowInDays", "cells", ("recovery_window_days",)),
    ("aws:lambda/function:Function", "environment.variables.MYFLUX_ORGANIZATION_ID", "cells", ("openai",)),
    ("aws:lambda/function:Function", "environment.variables.MYFLUX_LANGUAGE", "cells", ("language",)),
    ("aws:lambda/function:Function", "environment.variables.OPENAI_BASE_URL", "cells", ("openai", "base_url")),
    ("aws:lambda/invocation:Invocation", "input", "tenants", ()),
    ("aws:s3/bucketObjectv2:BucketObjectv2", "content", "tenants", ()),
    ("aws:secretsmanager/secret:Secret", "recoveryWindowInDays", "cells", ("recovery_window_days",)),
    ("aws:secretsmanager/secret:Secret", "replicas", "cells", ("replicas",)),
    ("aws:secretsmanager/secretRotation:SecretRotation", "rotationRules", "tenants", ("rotation",)),
    ("aws:sns/topicSubscription:TopicSubscription", "endpoint", "cells", ("alarm_emails",)),
)
"""Type, property, folder of the file, field: where a file's field becomes a property as it stands."""
_TRUSTED: Final[Mapping[str, document.FieldPath]] = {
    "-handover": ("handover", "principals"),
    "-deployer": ("pipeline",),
}
"""By the end of a role's name: whom the cell's file names for it. Others' trust is the runtime's."""


class Places:
    """`place` is the path of the folder `fleet` in the repository, `changed` are the paths that the branch changed."""

    def __init__(self, fleet: Path, place: str, changed: Collection[str]) -> None:
        self._fleet = fleet
        self._prefix = "" if place == "." else f"{place}/"
        self._changed = frozenset(changed)

    def of(self, stack: str, one: Registered | None, path: str) -> Place | None:
        """The line for the property `path` of a resource; without a path, for the whole stack."""
        made = one.place if one else None
        asked = self._asked(stack, one, path)
        if made is None or (asked and asked.file in self._changed):
            return asked or self._own(stack)
        if asked and made.file not in self._changed and not self._code_changed():
            return asked
        own = self._own(stack)
        return own if own and own.file in self._changed and not self._code_changed() else made

    def named(self, file: str, line: int | None = None) -> Place:
        """Of a file that is named from the folder of tenants/ and cells/."""
        return Place(f"{self._prefix}{file}", line or 1)

    def differs(self, file: str) -> bool:
        """Whether the branch changed that file, named as above."""
        return f"{self._prefix}{file}" in self._changed

    def _code_changed(self) -> bool:
        return any(path.endswith(".py") for path in self._changed)

    def _own(self, stack: str) -> Place | None:
        tenant, _, cell = stack.rpartition(".")
        return self._line("tenants" if tenant else "cells", tenant or cell, ())

    def _asked(self, stack: str, one: Registered | None, path: str) -> Place | None:
        tenant, _, cell = stack.rpartition(".")
        for type_, property_, folder, field in _FIELDS:
            if one and one.type == type_ and (path == property_ or path.startswith((f"{property_}.", f"{property_}["))):
                if property_ == "assumeRolePolicy":
                    name = str(one.inputs.get("name"))
                    field = next((named for end, named in _TRUSTED.items() if name.endswith(end)), field)
                # `input` is JSON in which the file's own names stand.
                field = field or tuple(path.removeprefix(f"{property_}.").split(".")[:1])
                return self._line(folder, tenant if folder == "tenants" else cell, field)
        return None

    def _line(self, folder: str, stem: str, field: document.FieldPath) -> Place | None:
        file = f"{folder}/{stem}.yaml"
        try:
            found = document.parse(source.read(self._fleet / file, self._fleet))
        except (source.Refused, OSError):
            return None
        return self.named(file, found.line(field))
