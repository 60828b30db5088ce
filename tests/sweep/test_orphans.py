"""What one side has and another has not, kind by kind: secrets and projects, and files and stacks beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tenancy
from functions.shared.deadline import Deadline
from functions.shared.secrets_manager import SecretState
from functions.sweep import orphans
from functions.sweep.declared import Declared
from functions.sweep.gather_cell import Comparer
from functions.sweep.metrics import of_orphans
from functions.sweep.orphans import SETTLING_SECONDS, Orphan, Project, is_orphan, suspects
from functions.sweep.tenants import ListedSecret, TenantSecret
from myflux_keys import names
from myflux_keys.admin_budget import CALLS_PER_MINUTE
from ops.actions.orphans import KINDS, Sides, compared, from_answer, merged
from tests.actions.stand_ins import Clock

CELL = "local"
NOW = 1_800_000_000.0
DAY = 86_400
NO_PROJECT = {names.TAG_PROJECT_ID: None}
THEIRS = {names.TAG_ORGANIZATION_ID: "org-theirs"}
LOCAL = tenancy.load(Path(__file__).resolve().parents[2]).cells[CELL]


def secret(
    slug: str = "acme", *, deletion: float | None = None, changed: Mapping[str, str | None] | None = None
) -> ListedSecret:
    """As the tenant's stack makes it; a tag that was changed to None is taken away."""
    held: dict[str, str | None] = {
        names.TAG_TENANT: slug,
        names.TAG_CELL: CELL,
        names.TAG_MANAGED_BY: names.MANAGED_BY,
        names.TAG_PROJECT_ID: f"proj_{slug}",
    }
    kept = {tag: value for tag, value in (held | dict(changed or {})).items() if value is not None}
    listed = ListedSecret(names.secret_name(CELL, slug), slug, kept, deletion, None)
    if deletion is None and not listed.misfits(CELL):
        state = SecretState(listed.name, kept, True, {})
        listed = replace(listed, secret=TenantSecret(f"arn:of:{slug}", slug, state, None, None))
    return listed


def project(slug: str = "acme", id: str | None = None, *, made: float = NOW - 40 * DAY) -> Project:
    return Project(id or f"proj_{slug}", names.project_name(CELL, slug), made)


def kinds(secrets: list[ListedSecret], projects: list[Project] | None) -> list[tuple[str, str]]:
    return [(orphan.tenant, orphan.kind) for orphan in suspects(CELL, secrets, projects, NOW)]


def test_what_fits_on_both_sides_is_no_orphan() -> None:
    assert kinds([secret("acme"), secret("fjord")], [project("acme"), project("fjord")]) == []
    assert kinds([secret(changed=NO_PROJECT)], []) == [], "a customer's own key has no project here"
    assert kinds([], [Project("proj_x", "somebody's else", NOW - DAY)]) == [], "not called as ours are"


def test_a_secret_in_its_window_is_told_with_its_date_and_its_project() -> None:
    (found,) = suspects(CELL, [secret(deletion=NOW + 7 * DAY)], [project()], NOW)
    assert (found.tenant, found.kind, found.project_id, found.deletion) == (
        "acme",
        "SecretDeleted",
        "proj_acme",
        NOW + 7 * DAY,
    )
    assert kinds([secret(deletion=NOW + DAY)], []) == [], "off-boarded: its project is archived, and its keys are dead"
    assert is_orphan(replace(found, keys=("key_1",)))
    assert is_orphan(found), "keys that were not looked at may live"
    assert not is_orphan(replace(found, keys=())), "no key lives: an off-boarding on its way"


@pytest.mark.parametrize(
    "change",
    [
        {"tenant": "globex"},
        {"tenant": None},
        {"cell": "elsewhere"},
        {"cell": None},
        {"managed-by": "somebody"},
        {"managed-by": None},
    ],
    ids=str,
)
def test_a_changed_or_removed_tag_hides_nobody(change: dict[str, str | None]) -> None:
    (found,) = suspects(CELL, [secret(changed=change)], [project()], NOW)
    assert (found.tenant, found.kind, found.project_id) == ("acme", "SecretMistagged", "proj_acme")
    ((_, value),) = change.items()
    assert (value or "no tag") in found.reason
    assert kinds([secret(changed=change)], None) == [("acme", "SecretMistagged")], "told even where OpenAI is silent"


def test_a_removed_project_tag_does_not_make_a_managed_tenant_a_customers() -> None:
    (found,) = suspects(CELL, [secret(changed=NO_PROJECT)], [project()], NOW)
    assert (found.kind, found.project_id) == ("SecretMistagged", "proj_acme")


def test_a_secret_with_our_tags_and_another_name_is_told_by_its_name() -> None:
    tags = {"tenant": "acme", "cell": CELL, "managed-by": names.MANAGED_BY}
    copy = ListedSecret("copy-of-acme", None, tags, None, None)
    assert kinds([secret(), copy], [project()]) == [("copy-of-acme", "SecretMistagged")]
    place = ListedSecret(names.customer_admin_secret(CELL, "acme"), None, tags, None, None)
    assert kinds([secret(), place], [project()]) == [], "the place of an admin key is no tenant's secret"
    stray = ListedSecret(f"myflux/{CELL}/notes", None, {}, None, None)
    assert kinds([secret(), stray], [project()]) == []


def test_a_project_that_no_secret_leads_to_is_told() -> None:
    assert kinds([], [project()]) == [("acme", "SecretMissing")]
    assert kinds([secret()], [project(), project(id="proj_twin")]) == [("acme", "SecretMissing")], "a twin of that name"
    young = project(made=NOW - SETTLING_SECONDS + 1)
    assert kinds([], [young]) == [], "its secret may be being made"


def test_a_secret_whose_project_is_gone_is_told() -> None:
    (found,) = suspects(CELL, [secret()], [], NOW)
    assert (found.kind, found.keys) == ("ProjectMissing", ())
    assert kinds([secret()], None) == [], "OpenAI was not asked, so nothing is said of it"


def test_a_customers_organization_is_asked_only_while_its_admin_key_is_there() -> None:
    deleted = secret(deletion=NOW + DAY, changed=THEIRS)
    place = ListedSecret(names.customer_admin_secret(CELL, "acme"), None, {}, None, None)
    (found,) = suspects(CELL, [deleted, place], [], NOW)
    assert (found.kind, found.project_id, found.admin_secret) == ("SecretDeleted", "proj_acme", place.name)
    assert kinds([deleted, replace(place, deletion=NOW + DAY)], []) == [], "off-boarded"
    assert kinds([secret(changed=THEIRS), place], []) == [], "its project is not in the cell's list"


SLUGS = ("acme", "fjord", "globex")
SECRETS = st.fixed_dictionaries(
    {slug: st.sampled_from(["none", "well", "deleted", "mistagged", "untagged"]) for slug in SLUGS}
)


@given(SECRETS, st.sets(st.sampled_from(SLUGS)))
def test_whatever_lives_at_openai_is_swept_or_told(secrets: dict[str, str], projects: set[str]) -> None:
    """No state of a tenant's secret leaves a living project that nothing looks at: the sweep, or an orphan."""
    made = {
        "well": lambda slug: secret(slug),
        "deleted": lambda slug: secret(slug, deletion=NOW + DAY),
        "mistagged": lambda slug: secret(slug, changed={"tenant": "another"}),
        "untagged": lambda slug: secret(
            slug, changed=dict.fromkeys(("tenant", "cell", "managed-by", names.TAG_PROJECT_ID))
        ),
    }
    listed = [made[state](slug) for slug, state in secrets.items() if state != "none"]
    found = suspects(CELL, listed, [project(slug) for slug in projects], NOW)
    swept = {one.secret.state.tags[names.TAG_PROJECT_ID] for one in listed if one.secret}
    about = {orphan.project_id for orphan in found}
    assert {f"proj_{slug}" for slug in projects} <= swept | about
    assert not swept & about - {orphan.project_id for orphan in found if orphan.kind == "ProjectMissing"}


def test_projects_are_listed_at_the_pace_of_the_admin_apis_budget() -> None:
    """2,000 tenants are twenty pages: one call is left to a provisioner in each minute, and the run has time left."""
    clock, called = Clock(), list[float]()

    class API:
        http = SimpleNamespace(server_time=None)

        def pages(self, path: str, *, between: Callable[[int], None]) -> Iterator[dict[str, Any]]:
            for page in range(20):
                if page:
                    between(page)
                called.append(clock.time)
                yield {"id": f"proj_{page}", "name": "somebody's", "created_at": 0, "status": "active"}

    class Secrets:
        def get_paginator(self, _: str) -> Any:
            return SimpleNamespace(paginate=lambda **_: [{"SecretList": []}])

    deadline = Deadline(900, monotonic=clock.now, sleep=clock.sleep)
    services: Any = SimpleNamespace(
        environment=SimpleNamespace(cell=CELL),
        declared=Declared(),
        secrets=Secrets(),
        api=API(),
        deadline=deadline,
        now=clock.now,
    )
    assert Comparer(services).compare(by_schedule=True).failed is None
    assert len(called) == 20
    assert max(sum(first <= at < first + 60 for at in called) for first in called) <= CALLS_PER_MINUTE
    assert deadline.remaining() > 600


def test_every_kind_has_a_number_zero_too_and_tenants_only_theirs() -> None:
    data = of_orphans([Orphan("acme", "SecretDeleted", ""), Orphan("fjord", "SecretDeleted", "")])
    cell = {datum.metric: datum.value for datum in data if datum.by is None}
    assert cell == {
        "SecretDeleted": 2,
        "SecretMissing": 0,
        "SecretMistagged": 0,
        "ProjectMissing": 0,
        "FederationLeft": 0,
    }
    assert {(datum.metric, datum.by) for datum in data if datum.by} == {
        ("SecretDeleted", ("Tenant", "acme")),
        ("SecretDeleted", ("Tenant", "fjord")),
    }


def sides(
    *secrets: ListedSecret, files: str = "", stacks: str | None = "", elsewhere: dict[str, str] | None = None
) -> Sides:
    states = None if stacks is None else stacks.split()
    return Sides(LOCAL, files.split(), elsewhere or {}, states, secrets, datetime.fromtimestamp(NOW, UTC))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (sides(secret(), files="acme", stacks="acme"), []),
        (sides(secret(), files="acme", stacks=None), []),
        (sides(files="acme", stacks="acme"), ["SecretMissing"]),
        (sides(files="acme", stacks=None), ["SecretMissing"]),
        (sides(files="acme"), ["StackMissing"]),
        (sides(secret(), files="acme"), ["StackMissing"]),
        (sides(stacks="acme"), ["FileMissing"]),
        (sides(secret(), stacks="acme"), ["FileMissing"]),
        (sides(secret()), ["FileMissing"]),
        (sides(secret(deletion=NOW + DAY), files="acme", stacks="acme"), ["SecretDeleted"]),
        (sides(secret(deletion=NOW + DAY)), []),
        (sides(secret(changed={"tenant": "globex"}), files="acme", stacks="acme"), ["SecretMistagged"]),
    ],
    ids=lambda value: "" if isinstance(value, Sides) else "-".join(value) or "none",
)
def test_files_and_stacks_are_compared_with_secrets(given: Sides, expected: list[str]) -> None:
    assert [orphan.kind for orphan in compared(given)] == expected


def test_a_sentence_tells_what_is_the_date_the_keys_the_way_out_and_the_page() -> None:
    here = sides(secret(deletion=NOW + 7 * DAY), files="acme", stacks="acme")
    (ours,) = compared(here)
    assert "AWS deletes it after 2027-01-22 08:00Z" in ours.sentence
    assert "were not checked: `myflux-keys sweep --cell local`" in ours.sentence
    seen = Orphan(
        "acme", "SecretDeleted", "its deletion is scheduled", "s", "p", None, NOW + 7 * DAY, ("key_1", "key_2")
    )
    (both,) = merged([from_answer(seen.shown(), here)], [ours])
    for part in (
        "2 keys are still valid at OpenAI: key_1, key_2.",
        "restore-secret --secret-id myflux/local/acme/openai`",
        "`myflux-keys adopt acme --yes`",
        "archived, as after `destroy`, the slug is used up: `myflux-keys new SLUG --from acme`",
        "docs/runbook.md#secretdeleted",
    ):
        assert part in both.sentence
    (late,) = compared(sides(secret(deletion=NOW - DAY), files="acme"))
    assert "may delete it at any time" in late.sentence


def test_a_tenant_that_moved_is_told_where_its_file_is() -> None:
    (found,) = compared(sides(secret(), stacks="acme", elsewhere={"acme": "prod-eu1"}))
    assert "its file names cell prod-eu1" in found.reason
    assert "myflux-keys move acme --finish --from local" in found.way_out


def test_functions_and_commands_call_a_kind_by_the_same_name() -> None:
    assert set(orphans.KINDS) < set(KINDS)


def test_a_tenants_rule_that_somebody_changed_is_set_again_and_a_strangers_is_deleted() -> None:
    here = replace(sides(files="acme bay cove", stacks="acme bay cove"), ruled=["acme", "bay"], returning=["bay"])
    ways_out = {
        slug: from_answer(Orphan(slug, "FederationLeft", "a rule", keys=()).shown(), here).way_out
        for slug in ("acme", "bay", "cove", "gone")
    }
    assert "`myflux-keys up acme --refresh`" in ways_out["acme"]
    assert "`myflux-keys credential bay --key`" in ways_out["bay"]
    assert "delete it on OpenAI's site" in ways_out["cove"], "its file wants none, so its stack would not touch it"
    assert "delete it on OpenAI's site" in ways_out["gone"]
