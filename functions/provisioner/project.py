"""A tenant's OpenAI project and its service account: found by name, created if missing, archived at the end.

Owns finding, creating and archiving. Leaves out limits (`limits.py`) and minting, for which this package has no call.
Names are always looked up first, so a repeated run uses what an earlier one created.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.shared import log
from functions.shared.deadline import Deadline
from functions.shared.openai_admin import KEEP_SECONDS, AdminAPI, Key, ProjectKeys
from functions.shared.openai_http import OpenAIError, path
from functions.shared.openai_projects import PROJECTS, is_archived

_ROLE: Final = "member"
_DEATH_PAUSE: Final = 2.0
"""Seconds to wait for a key that OpenAI refused to delete, whose expiry was set to one second."""


class ProjectError(Exception):
    """Something at OpenAI is not as required. The message says what, and what to do."""


class ProjectArchived(ProjectError):
    """Its name is in the function's answer: `ops/stacks/check_secrets.py` tells by it what a person can do."""


@dataclass(frozen=True)
class Project:
    """`new`: OpenAI answered just now that it made it, so nothing can refer to it yet."""

    id: str
    archived: bool
    new: bool = False


class Projects:
    """The projects of the organization that the admin key belongs to."""

    def __init__(self, api: AdminAPI) -> None:
        self._api = api

    def find(self, name: str) -> Project | None:
        """The active project of that name, else an archived one, else None. Raises ProjectError for two active ones.

        Archived projects are listed too, since we never use their names again.
        """
        found = [
            Project(str(item["id"]), is_archived(item))
            for item in self._api.pages(PROJECTS, {"include_archived": "true"})
            if item.get("name") == name
        ]
        active = [project for project in found if not project.archived]
        if len(active) > 1:
            ids = ", ".join(project.id for project in active)
            raise ProjectError(f"{len(active)} projects are called {name!r} ({ids}): rename or archive all but one")
        return active[0] if active else (found[0] if found else None)

    def ensure(self, name: str) -> Project:
        project = self.find(name)
        if project is None:
            project = self._create(name)
        if project.archived:
            raise ProjectArchived(
                f"project {name!r} ({project.id}) is archived, and OpenAI cannot restore it: a tenant's slug is never "
                "used again after off-boarding; choose another"
            )
        return project

    def _create(self, name: str) -> Project:
        try:
            made = self._api.send("POST", PROJECTS, body={"name": name}, repeatable=False)
        except OpenAIError as error:
            # Perhaps only the answer was lost; a second POST would create a second project with this name.
            found = self.find(name) if error.maybe_applied else None
            if found is None:
                raise
            return found
        log.line("project.created", project_id=made["id"], name=name)
        return Project(str(made["id"]), archived=False, new=True)

    def archive(self, project: Project) -> None:
        try:
            self._api.send("POST", path("/organization/projects/{project}/archive", project=project.id))
        except OpenAIError as error:
            if error.code != "project_archived" and error.status != 404:
                raise
        self._check_archived(project)

    def _check_archived(self, project: Project) -> None:
        """Reads the project back. Raises ProjectError if it is not archived."""
        try:
            found = self._api.send("GET", path("/organization/projects/{project}", project=project.id))
        except OpenAIError as error:
            if error.status == 404:
                return
            raise
        if not is_archived(found):
            raise ProjectError(f"OpenAI reported that project {project.id} was archived, but it is not: run it again")


class ServiceAccounts:
    """The service accounts of one project."""

    def __init__(self, api: AdminAPI, project_id: str, deadline: Deadline) -> None:
        self._api = api
        self._path = path("/organization/projects/{project}/service_accounts", project=project_id)
        self._keys = ProjectKeys(api, project_id)
        self._deadline = deadline

    def find(self, name: str) -> Mapping[str, Any] | None:
        """The service account called `name`, or None. Raises ProjectError for more than one."""
        found = self.called(name)
        if len(found) > 1:
            raise ProjectError(f"{len(found)} service accounts are called {name!r}: delete those without a valid key")
        return found[0] if found else None

    def called(self, name: str) -> list[Mapping[str, Any]]:
        return [item for item in self._api.pages(self._path) if item.get("name") == name]

    def ensure(self, name: str) -> str:
        """The id of the account called `name`, which gets the role `member`. Created without a key if missing."""
        account = self.find(name) or self._create(name)
        account_id = str(account["id"])
        if account.get("role") != _ROLE:
            self._api.send("POST", self._path + path("/{account}", account=account_id), body={"role": _ROLE})
            log.line("service_account.role_set", service_account_id=account_id, role=_ROLE)
        return account_id

    def _create(self, name: str) -> Mapping[str, Any]:
        body = {"name": name, "create_service_account_only": True}
        try:
            made: Mapping[str, Any] = self._api.send("POST", self._path, body=body, repeatable=False)
        except OpenAIError as error:
            found = self.find(name) if error.maybe_applied else None
            if found is None:
                raise
            return found
        log.line("service_account.created", service_account_id=made["id"], name=name)
        unasked: Any = made.get("api_key")
        if isinstance(unasked, dict):
            # The request asks for no key. If one was created anyway, it is revoked and its value is not read.
            key_id = str(unasked["id"])  # pyright: ignore[reportUnknownArgumentType]
            log.line("key.unasked", level=logging.WARNING, key_id=key_id, how=self._keys.retire(key_id))
        return made

    def delete(self, account_id: str) -> None:
        try:
            self._api.send("DELETE", self._path + path("/{account}", account=account_id))
        except OpenAIError as error:
            if error.status != 404:
                raise

    def end_keys(self, account_id: str) -> int:
        """Revokes every key of the account, lists again, and returns how many there were.

        Raises ProjectError with the ids of keys that are still valid.
        """
        keys = self._keys.of_service_account(account_id)
        fates = {key.id: self._keys.retire(key.id) for key in keys}
        for key_id, how in fates.items():
            log.line("key.ended", key_id=key_id, how=how)
        if "expired" in fates.values():
            self._deadline.pause(_DEATH_PAUSE, keep=KEEP_SECONDS)
        alive = [key.id for key in self._keys.of_service_account(account_id) if self._lives(key)] if keys else []
        if alive:
            raise ProjectError(f"keys are still valid: {', '.join(alive)}; run it again")
        return len(keys)

    def _lives(self, key: Key) -> bool:
        """Whether the key is valid. A key that was expired instead of deleted may still be listed."""
        now = self._api.http.server_time
        return key.expires_at is None or now is None or key.expires_at > now
