"""The calls that `verify` makes for one tenant: each reads, and none changes anything.

Owns what is asked, and the order. Leaves out what an answer means (`verify.py`, `verify_openai.py`,
`verify_access.py`). A call that fails is one step that could not be asked, and the rest go on. What one step has read,
later ones use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from components.iam.resource import tenant_secret
from functions.health.handover_facts import HandoverSeen, read_seen
from functions.health.store import Store
from myflux_keys.cell_functions import HEALTH, ROTATION, SWEEP
from myflux_keys.declaration import DeclarationError
from ops import state_place, ways_out
from ops.account import Account
from ops.actions import functions_client, verify, verify_access, verify_openai
from ops.actions.access import reader_role
from ops.actions.cell_view import heartbeat
from ops.actions.end_keys import Keys
from ops.actions.health_memory import memory_of
from ops.actions.history import history
from ops.actions.session_access import SessionAccess
from ops.actions.sweep import sweep
from ops.actions.verify import Step, not_asked
from ops.errors import OperationError, code_of
from ops.rotation_state import facts
from ops.stacks import backend, mark, mark_place
from tenancy import Cell, Tenant

Look = Callable[[], "Step | list[Step]"]


class Looks:
    """The steps after the file, by name, in their order."""

    def __init__(self, account: Account, tenant: Tenant) -> None:
        self.account = account
        self.tenant = tenant
        self.names = account.cell.names.tenant(tenant.tenant)
        self._secret: dict[str, Any] | None = None
        self._policy: dict[str, Any] | None = None
        self._handovers: dict[str, HandoverSeen] | None = None

    @property
    def _cell(self) -> Cell:
        return self.account.cell

    def account_is_the_cells(self) -> Step:
        asked = "sts:GetCallerIdentity"
        try:
            self.account.check()
        except OperationError as error:
            return Step("account", asked, "wrong", str(error), "sign in to the cell's account")
        except (BotoCoreError, ClientError) as error:
            return not_asked("account", asked, error)
        return Step("account", asked, "ok", f"{self._cell.account_id}, where cell {self._cell.cell} is")

    @property
    def rest(self) -> Mapping[str, tuple[str, Look]]:
        """By step: what is asked, for where the call fails, and the look."""
        slug, secret, sweeper = self.tenant.tenant, self.names.secret, self._cell.names.sweep_function
        here: dict[str, tuple[str, Look]] = {
            "stack": (f"stack {self.names.stack} in the backend", self._stack),
            "secret": (f"secretsmanager:DescribeSecret {secret}", self._look_at_secret),
        }
        if self.tenant.has_identity:
            here["sessions"] = (f"iam:GetRolePolicy of {self._cell.names.runtime_role}", self._sessions)
        if self.tenant.has_identity and not self.tenant.enabled:
            here["federation rule"] = (f"{sweeper} keys and rules of {slug}", self._closed)
        if not self.tenant.has_key:
            return here | {
                "functions": ("lambda:GetFunctionConfiguration", self._functions),
                "health function": ("what the health function remembers", self._health),
                **({"keys at OpenAI": (f"{sweeper} sweep {slug}", self._sweep)} if self.tenant.enabled else {}),
                "declaration and file": (f"s3:GetObject declarations/{slug}.json", self._declared),
                "OpenAI now": (f"{self._cell.names.function(HEALTH)} look {slug}", self._look),
                "consumers": ("the tenant's file", lambda: verify.consumers(self.tenant, self._handovers)),
            }
        if self.tenant.minted:
            here["functions"] = ("lambda:GetFunctionConfiguration", self._functions)
        return here | {
            "resource policy": (f"secretsmanager:GetResourcePolicy {secret}", self._look_at_policy),
            "the application reads": ("iam:GetRole and its policies", self._reader),
            "nobody else reads": ("the secret's policy", self._nobody_else),
            "last rotation": ("cloudtrail:LookupEvents", self._last_rotation),
            "health function": ("what the health function remembers", self._health),
            "value of the secret": (f"{sweeper} inspect {slug}", self._inspect),
            **({"keys at OpenAI": (f"{sweeper} sweep {slug}", self._sweep)} if self.tenant.minted else {}),
            "declaration and file": (f"s3:GetObject declarations/{slug}.json", self._declared),
            "OpenAI now": (f"{self._cell.names.function(HEALTH)} look {slug}", self._look),
            "consumers": ("the tenant's file", lambda: verify.consumers(self.tenant, self._handovers)),
        }

    def _stack(self) -> Step:
        url, name = state_place.of(self._cell).url, self.names.stack
        has = backend.has(url, name)
        place = mark_place.opened(url) if has else None
        left = mark.read(place.mark(name)) if place else None
        marked = left is not None and place is not None and left.state == place.version(name)
        return verify.stack(name, url, has, bool(has and backend.locks(url, name)), marked)

    def _look_at_secret(self) -> list[Step]:
        told: Any = None
        try:
            told = self.account.secrets.describe_secret(SecretId=self.names.secret)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
        if not self.tenant.has_key:
            return [verify.no_secret(self.tenant, self.names.secret, told)]
        if told is None:
            return [verify.secret(self._cell, self.tenant, None)]
        first = verify.secret(self._cell, self.tenant, told)
        if told.get("DeletedDate"):
            return [first]
        self._secret = told
        cell, tenant = self._cell, self.tenant
        return [
            first,
            verify.versions(tenant, facts(told)),
            verify.rotation(cell, tenant, told),
            verify.copies(cell, tenant, told),
        ]

    def _functions(self) -> Step:
        names, told = self._cell.names, dict[str, str | None]()
        for name in map(names.function, (ROTATION, SWEEP, HEALTH)):
            try:
                one: Any = self.account.functions.get_function_configuration(FunctionName=name)
                told[name] = one.get("State", "")
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
                told[name] = None
        return verify.functions(self._cell, told)

    def _look_at_policy(self) -> Step:
        self._needs_the_secret()
        text = self.account.secrets.get_resource_policy(SecretId=self.names.secret).get("ResourcePolicy")
        self._policy = json.loads(text) if text else None
        rotation = self._cell.names.function_role_arn(ROTATION)
        wanted = tenant_secret(
            self.names,
            reader_role=reader_role(self._cell, self.tenant),
            writers=[rotation] if self.tenant.minted else self._cell.deployers,
            deployers=self._cell.governors,
            enabled=self.tenant.reads_key,
            handed_over=self._cell.hands_over(self.tenant.consumers.used),
        )
        return verify.policy(self.tenant, self.names.secret, self._policy, json.loads(json.dumps(wanted)))

    def _reader(self) -> Step:
        role = reader_role(self._cell, self.tenant).rpartition("/")[2]
        begun = self.account.check() if self.tenant.has_identity else None
        return verify_access.reader(self.tenant, verify_access.documents(self.account.roles, role), self._lock(), begun)

    def _sessions(self) -> Step:
        before = SessionAccess(self.account.roles, self._cell, self.tenant.tenant).denied_before()
        return verify_access.sessions(self.tenant, self._cell.names.runtime_role, before, self.account.check())

    def _nobody_else(self) -> Step:
        return verify_access.nobody_else(self._cell, self.tenant, self._lock())

    def _lock(self) -> Any:
        held = self._needs_the_secret()
        if self._policy is None:
            raise OperationError("the secret's resource policy was not read")
        return verify_access.lock(self.tenant, facts(held), self._policy)

    def _last_rotation(self) -> Step:
        self._needs_the_secret()
        return verify.last_rotation(self.tenant, history(self.account, self.tenant.tenant))

    def _health(self) -> Step:
        asked = f"s3:GetObject {self._cell.names.health_bucket}/health/state.json"
        memory = memory_of(self.account)
        wrong = heartbeat(self._cell, memory, datetime.now(UTC))
        if wrong is not None:
            state = "wrong" if wrong.severity == "attention" else "could not be asked"
            told = f"{wrong.sentence}; {wrong.do}" if wrong.do else wrong.sentence
            return Step("health function", asked, state, told, wrong.command or "")
        return verify_openai.remembered(self._cell, self.tenant, asked, memory)

    def _inspect(self) -> list[Step]:
        held = self._needs_the_secret()
        if facts(held).current is None:
            raise OperationError("the secret holds no key")
        event = {"action": "inspect", "tenant": self.tenant.tenant}
        answer = functions_client.call(self._cell, self._cell.names.sweep_function, event, self.account.functions)
        return verify_openai.inspected(self._cell, self.tenant, answer)

    def _sweep(self) -> Step:
        if self.tenant.has_key:
            self._needs_the_secret()
        swept = sweep(self.account, [self.tenant.tenant], dry_run=True, progress=lambda _: None)
        return verify_openai.swept(self._cell, self.tenant, swept)

    def _closed(self) -> list[Step]:
        found = Keys(self.account, self.tenant).look_at_rules(self.tenant.tenant)
        return verify_openai.closed(self._cell, self.tenant, found)

    def _declared(self) -> Step:
        slug, bucket = self.tenant.tenant, self._cell.names.health_bucket
        try:
            there = Store(self.account.buckets, bucket).declaration(self._cell.cell, slug)
        except DeclarationError as error:
            raise OperationError(str(error)) from None
        return verify.declaration(self.tenant, f"s3:GetObject {bucket}/declarations/{slug}.json", there)

    def _look(self) -> list[Step]:
        function = self._cell.names.function(HEALTH)
        answer = functions_client.look_at(self._cell, self.tenant.tenant, self.account.functions)
        if "findings" not in answer:
            # An earlier version takes any request for its schedule's.
            raise OperationError(f"{function} is of an earlier version. {ways_out.deploy_platform(self._cell.cell)}")
        self._handovers = read_seen(answer["handovers"]) if "handovers" in answer else None
        return verify_openai.looked(self._cell, self.tenant, answer)

    def _needs_the_secret(self) -> dict[str, Any]:
        if self._secret is None:
            raise OperationError("there is no secret that could be read")
        return self._secret
