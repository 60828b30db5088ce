"""What a bootstrap and its deletion decide, without a call."""

from __future__ import annotations

import ast
import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber

import tenancy
from ops.account import Account
from ops.actions import bootstrap, bootstrap_deletion, run_bootstrap, run_bootstrap_deletion
from ops.actions.bootstrap import PROVIDER, Made
from ops.actions.bootstrap_deletion import Behind
from ops.errors import OperationError
from ops.stacks import backend, moving, pending
from ops.stacks.engine import Engine, Outcome
from tenancy import Cell
from tests.program.rig import ROOT

GITHUB = "token.actions.githubusercontent.com"
ARN = f"arn:aws:iam::000000000000:oidc-provider/{GITHUB}"
OWN = {"type": PROVIDER, "urn": "urn::issuer", "id": ARN, "inputs": {"url": f"https://{GITHUB}"}}


def cell(**more: Any) -> Cell:
    found = tenancy.load(ROOT, only="").cells["local"]
    return Cell.model_validate(found.model_dump() | more)


@pytest.mark.parametrize(
    ("folder", "bucket", "where"),
    [(False, False, "nowhere"), (True, False, "folder"), (False, True, "bucket"), (True, True, "both")],
)
def test_where_its_own_state_is(folder: bool, bucket: bool, where: str) -> None:
    assert bootstrap.kept(folder, bucket) == where


def test_a_provider_that_the_account_has_is_used_and_never_owned() -> None:
    assert bootstrap.issuers([], GITHUB, account_has=True) == []
    assert bootstrap.issuers([], GITHUB, account_has=False) == [GITHUB]
    assert bootstrap.issuers([OWN], GITHUB, account_has=True) == [GITHUB], "its own from an earlier run stays its own"
    assert bootstrap.issuers([OWN], None, account_has=False) == [GITHUB], "though the cell has no pipeline any more"
    assert bootstrap.issuers([OWN], "gitlab.com", account_has=False) == [GITHUB, "gitlab.com"]


def test_a_boundary_of_the_platform_is_not_taken_over() -> None:
    boundary = cell().names.policy_arn(cell().names.boundary_policy)
    own = [{"type": "aws:iam/policy:Policy", "id": boundary}]
    assert bootstrap.foreign_policies(own, [boundary]) == []
    with pytest.raises(OperationError, match="its stack owns it"):
        bootstrap.refuse_foreign(cell(), bootstrap.foreign_policies([], [boundary]))


def test_a_cell_that_keeps_its_state_elsewhere_needs_no_bootstrap() -> None:
    key = "arn:aws:kms:us-east-1:000000000000:key/1"
    bootstrap.refuse_a_place_of_its_own(cell())
    bootstrap.refuse_a_place_of_its_own(cell(state={"bucket": cell().names.state_bucket, "kms_key": key}))
    with pytest.raises(OperationError, match=r"state in s3://by-hand.*needs no bootstrap"):
        bootstrap.refuse_a_place_of_its_own(cell(state={"bucket": "by-hand", "kms_key": key}))


def named(slug: str, account: str = "123456789012", *, bootstrapped: bool = False) -> Cell:
    more = {"cell": slug, "account_id": account, "local": False, "bootstrapped": bootstrapped}
    return cell().model_copy(update=more)


def test_a_new_cells_names_do_not_begin_as_those_of_another_cell_of_the_account() -> None:
    alone = [named("prod"), named("prod2-eu1"), named("prod-eu1", "444455556666")]
    bootstrap.refuse_a_name_that_begins_another(named("prod"), alone)
    for new, other in (("prod", "prod-eu1"), ("prod-eu1", "prod")):
        with pytest.raises(OperationError, match=r"cells prod and prod-eu1 .*names that begin with myflux-prod-:"):
            bootstrap.refuse_a_name_that_begins_another(named(new), [named(other)])
    bootstrap.refuse_a_name_that_begins_another(named("prod", bootstrapped=True), [named("prod-eu1")])


def test_what_it_prints_is_what_the_file_must_say(tmp_path: Path) -> None:
    made = Made("myflux-state-local-000000000000", "arn:aws:kms:us-east-1:000000000000:key/1", "arn", {})
    (tmp_path / "tenants").mkdir()
    (tmp_path / "cells").mkdir()
    text = (ROOT / "cells" / "local.yaml").read_text(encoding="utf-8")
    (tmp_path / "cells" / "local.yaml").write_text(f"{text}{bootstrap.block(made)}\n", encoding="utf-8")
    assert bootstrap.is_in_file(tenancy.load(tmp_path).cells["local"], made)
    assert not bootstrap.is_in_file(cell(), made)


@pytest.mark.parametrize(
    ("behind", "way_out"),
    [
        (Behind(tenants=["acme"], stacks=["acme.local", "local"]), "`myflux-keys offboard acme` ends one"),
        (Behind(stacks=["acme.local", "local"], secrets=["s"]), "`myflux-keys destroy acme` ends one"),
        (Behind(stacks=["local"], roles=["r"]), "`myflux-keys destroy --cell local` ends it"),
        (Behind(others=["theirs/app"], secrets=["s"]), "move their states (docs/state.md)"),
        (Behind(secrets=["myflux/local/acme/openai"], roles=["r"]), "delete-secret"),
        (Behind(roles=["myflux-local-runtime"]), "delete them"),
    ],
)
def test_a_cell_with_something_behind_it_stays_with_the_next_thing_to_type(behind: Behind, way_out: str) -> None:
    with pytest.raises(OperationError, match=r"Nothing was changed") as refused:
        bootstrap_deletion.refuse_while_used(cell(), behind)
    assert way_out in str(refused.value)
    bootstrap_deletion.refuse_while_used(cell(), Behind())


def test_a_production_cells_platform_is_protected_and_the_refusal_says_how_it_ends() -> None:
    production = cell().model_copy(update={"production": True})
    with pytest.raises(OperationError, match=r"pulumi state unprotect --all --stack local.*myflux-keys destroy"):
        bootstrap_deletion.refuse_while_used(production, Behind(stacks=["local"]))


def test_a_provider_that_others_trust_stays_when_the_cell_ends() -> None:
    trusting = ("their-role", json.dumps({"Principal": {"Federated": ARN}}))
    other = ("other", json.dumps({"Principal": {"Federated": f"{ARN}-2"}}))
    assert bootstrap_deletion.used_providers([OWN], [other]) == {}
    assert bootstrap_deletion.used_providers([OWN], [trusting, other]) == {"urn::issuer": ["their-role"]}
    held = {"resources": [OWN, {"urn": "bucket", "protect": True}]}
    assert bootstrap_deletion.without(held, ["urn::issuer"]) == {"resources": [{"urn": "bucket", "protect": True}]}
    assert not any(one["protect"] for one in bootstrap_deletion.unprotected(held)["resources"])


def test_the_end_of_the_states_key_is_looked_at_before_it_is_told() -> None:
    held = {"resources": [OWN, {"type": "aws:kms/key:Key", "urn": "key", "id": "1234"}]}
    assert bootstrap_deletion.keys(held) == ["1234"]
    assert bootstrap_deletion.keys({}) == []

    def account(state: str) -> run_bootstrap.Places:
        kms = SimpleNamespace(describe_key=lambda KeyId: {"KeyMetadata": {"KeyState": state}} if KeyId else {})  # noqa: N803
        return run_bootstrap.Places(cell(), ROOT, cast(Account, SimpleNamespace(keys=kms)))

    run_bootstrap_deletion._look_at_keys(account("PendingDeletion"), ["1234"])
    with pytest.raises(OperationError, match=r"1234 \(Enabled\)"):
        run_bootstrap_deletion._look_at_keys(account("Enabled"), ["1234"])


def listing(monkeypatch: pytest.MonkeyPatch, *files: str) -> None:
    """S3 lists these keys, or has no such bucket."""
    s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    answers = Stubber(s3)
    for _ in range(2):
        if files:
            answers.add_response("list_objects_v2", {"Contents": [{"Key": key} for key in files]})
        else:
            answers.add_client_error("list_objects_v2", "NoSuchBucket")
    answers.activate()
    monkeypatch.setattr(backend, "s3", lambda _found: s3)


def test_a_bucket_that_keeps_other_projects_states_is_not_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    own, theirs = f".pulumi/stacks/{backend.BOOTSTRAP}/local.json", ".pulumi/stacks/theirs/app.json"
    listing(monkeypatch, ".pulumi/stacks/myflux-keys/acme.local.json", own, f"{own}.bak", theirs, f"{theirs}.bak")
    assert backend.of_others("s3://bucket") == {"theirs/app"}


@pytest.mark.parametrize(
    ("files", "stacks"), [([".pulumi/stacks/myflux-keys/acme.local.json"], ["acme.local"]), ([], [])]
)
def test_states_are_looked_for_wherever_the_bootstraps_own_is(
    monkeypatch: pytest.MonkeyPatch, files: list[str], stacks: list[str]
) -> None:
    """An interrupted deletion left it in a folder, and somebody may have deployed into the bucket since."""
    listing(monkeypatch, *files)
    monkeypatch.setattr(run_bootstrap_deletion, "_secrets", lambda _: [])
    monkeypatch.setattr(run_bootstrap_deletion, "_bounded", lambda _: set[str]())
    places = run_bootstrap.Places(cell(), ROOT, cast(Account, None))
    assert run_bootstrap_deletion._behind(places, []) == Behind(
        stacks=stacks, tenants=[], others=[], secrets=[], roles=[]
    )


def left_by_a_killed_engine(kind: str, *inputs: Mapping[str, str]) -> dict[str, Any]:
    made = [{"urn": f"urn::{kind}{at}", "type": kind, "custom": True, "inputs": one} for at, one in enumerate(inputs)]
    return {"resources": [], "pending_operations": [{"type": "creating", "resource": one} for one in made]}


class Killed:
    """An engine that was killed while it made a policy. `refreshed` says how `up` was asked."""

    refreshed: bool | None = None

    def __init__(self, held: dict[str, Any]) -> None:
        self.held = held

    def peek(self, _stack: str) -> dict[str, Any]:
        return self.held

    def replace_state(self, _stack: str, deployment: dict[str, Any]) -> None:
        self.held = deployment

    def told(self, _more: Mapping[str, str]) -> Killed:
        return self

    def up(self, stack: str, *, refresh: bool = False) -> Outcome:
        self.refreshed = refresh
        return Outcome(stack, {}, {"bucket": "b", "kms_key_arn": "k", "people_role_arn": "p"}, 0.0)


def test_a_boundary_that_a_killed_engine_made_is_its_own_and_looked_for_before_it_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = cell().names
    policies = (names.boundary_policy, names.people_role)
    monkeypatch.setattr(pending, "in_aws", lambda _kind, inputs: names.policy_arn(inputs["name"]))
    monkeypatch.setattr(run_bootstrap, "exists", lambda _look: True)
    places = run_bootstrap.Places(cell(), ROOT, cast(Account, SimpleNamespace(roles=None)))
    engine = Killed(left_by_a_killed_engine(bootstrap.POLICY, *({"name": one} for one in policies)))
    run_bootstrap._up(places, cast(Engine, engine))
    assert engine.refreshed, "it may not be there: the engine was killed before AWS answered"
    assert [one["id"] for one in engine.held["resources"]] == [names.policy_arn(one) for one in policies]


def test_nothing_but_a_kms_key_is_left_to_a_person_by_a_killed_engine() -> None:
    made = (ROOT / "components" / "state_store.py", ROOT / "components" / "people_access.py")
    for kind in (PROVIDER, *(one for path in made for one in types_of(path))):
        assert not pending.mend(left_by_a_killed_engine(kind, {"name": "n", "bucket": "b"}), lambda *_: "id").unknown, (
            kind
        )


def types_of(path: Path) -> list[str]:
    """Of the AWS resources that the component's file imports."""
    imports = [one for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.ImportFrom)]
    found = [(str(one.module), name.name) for one in imports for name in one.names]
    classes = [getattr(importlib.import_module(module), name) for module, name in found if "pulumi_aws" in module]
    assert classes
    return [one.pulumi_type for one in classes]


class Backend:
    """A place of a state. `held` is what it holds, None for no such stack."""

    def __init__(self, held: Mapping[str, Any] | None) -> None:
        self.held = held

    def peek(self, stack: str) -> Mapping[str, Any] | None:
        return self.held

    def make(self, stack: str) -> None:
        assert self.held is None
        self.held = {"secrets_providers": {"type": "cloud"}}

    def replace_state(self, stack: str, deployment: Mapping[str, Any]) -> None:
        self.held = deployment


STATE = {"secrets_providers": {"type": "passphrase"}, "resources": [{"urn": "a"}]}


def moved(source: Mapping[str, Any] | None, target: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    there = Backend(target)
    moving.move(cast(Engine, Backend(source)), cast(Engine, there), "local")
    return there.held


def test_a_state_moves_whole_and_is_encrypted_by_the_new_places_own_key() -> None:
    expected = {"secrets_providers": {"type": "cloud"}, "resources": [{"urn": "a"}]}
    assert moved(STATE, None) == expected
    assert moved(STATE, {"secrets_providers": {"type": "cloud"}}) == expected, "it died before the import"
    assert moved(STATE, expected) == expected, "it died after the import"


def test_a_state_that_differs_or_holds_secrets_is_never_overwritten() -> None:
    with pytest.raises(OperationError, match="another state at the place"):
        moved(STATE, {"resources": [{"urn": "b"}]})
    with pytest.raises(OperationError, match="is gone"):
        moved(None, None)
    with pytest.raises(OperationError, match="holds secrets"):
        moved({"resources": [{"outputs": {"x": {"ciphertext": "v1:"}}}]}, None)
