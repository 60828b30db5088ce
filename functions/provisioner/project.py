"""A tenant's OpenAI project and its service account: found by name, made where missing, archived at the end.

Owns finding, making and archiving. Leaves out limits (`limits.py`) and keys: this package holds no call that mints.
Names are looked up first every time, so a repeated or interrupted run adopts what an earlier one made.
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

_PROJECTS: Final = "/organization/projects"
_ROLE: Final = "member"
_DEATH_PAUSE: Final = 2.0
"""A key that OpenAI would not delete was given a second to live."""


class ProjectError(Exception):
    """OpenAI's side is not as it must be. The message says what is there and what to do."""


@dataclass(frozen=True)
class Project:
    id: str
    archived: bool


class Projects:
    """The projects of the organization that the admin key belongs to."""

    def __init__(self, api: AdminAPI) -> None:
        self._api = api

    def find(self, name: str) -> Project | None:
        """The active project of that name, else an archived one, else None. Raises ProjectError for two active ones.

        Archived projects are asked for as well, in the same pass: their names stay taken for us.
        """
        found = [
            Project(str(item["id"]), item.get("status") == "archived" or item.get("archived_at") is not None)
            for item in self._api.pages(_PROJECTS, {"include_archived": "true"})
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
            raise ProjectError(
                f"project {name!r} ({project.id}) is archived, and OpenAI never brings one back: a tenant's name is "
                "not used again after off-boarding; choose another"
            )
        return project

    def _create(self, name: str) -> Project:
        try:
            made = self._api.send("POST", _PROJECTS, body={"name": name}, repeatable=False)
        except OpenAIError as error:
            # The answer may be all that was lost; a second POST would make a second project of the same name.
            found = self.find(name) if error.maybe_applied else None
            if found is None:
                raise
            return found
        log.line("project.created", project_id=made["id"], name=name)
        return Project(str(made["id"]), archived=False)

    def archive(self, project: Project) -> None:
        try:
            self._api.send("POST", path("/organization/projects/{project}/archive", project=project.id))
        except OpenAIError as error:
            if error.code != "project_archived" and error.status != 404:
                raise
        self._check_archived(project)

    def _check_archived(self, project: Project) -> None:
        """Archiving is the last thing done, and what is told of it ends a customer: so it is looked at."""
        try:
            found = self._api.send("GET", path("/organization/projects/{project}", project=project.id))
        except OpenAIError as error:
            if error.status == 404:
                return
            raise
        if found.get("status") != "archived" and found.get("archived_at") is None:
            raise ProjectError(f"OpenAI answered that project {project.id} is archived, and it is not: run it again")


class ServiceAccounts:
    """The service accounts of one project."""

    def __init__(self, api: AdminAPI, project_id: str, deadline: Deadline) -> None:
        self._api = api
        self._path = path("/organization/projects/{project}/service_accounts", project=project_id)
        self._keys = ProjectKeys(api, project_id)
        self._deadline = deadline

    def find(self, name: str) -> Mapping[str, Any] | None:
        """Raises ProjectError for more than one: which of them the tenant's keys are on is not for us to guess."""
        found = self.called(name)
        if len(found) > 1:
            raise ProjectError(f"{len(found)} service accounts are called {name!r}: delete those that hold no live key")
        return found[0] if found else None

    def called(self, name: str) -> list[Mapping[str, Any]]:
        return [item for item in self._api.pages(self._path) if item.get("name") == name]

    def ensure(self, name: str) -> str:
        """The id of the account called `name`, with role `member` and no more. Made without a key."""
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
            # The request says that no key shall come; one that came all the same is ended, and its value never read.
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
        """Ends every key of the account and checks by listing that none is left; how many there were.

        Raises ProjectError, naming ids, while one lives.
        """
        keys = self._keys.of_service_account(account_id)
        fates = {key.id: self._keys.retire(key.id) for key in keys}
        for key_id, how in fates.items():
            log.line("key.ended", key_id=key_id, how=how)
        if "expired" in fates.values():
            self._deadline.pause(_DEATH_PAUSE, keep=KEEP_SECONDS)
        alive = [key.id for key in self._keys.of_service_account(account_id) if self._lives(key)] if keys else []
        if alive:
            raise ProjectError(f"keys still live: {', '.join(alive)}: nothing was archived; run it again")
        return len(keys)

    def _lives(self, key: Key) -> bool:
        """A key that could only be given a second to live may still be listed, with that as its expiry."""
        now = self._api.http.told_time
        return key.expires_at is None or now is None or key.expires_at > now
