"""What `status` shows of each fact: nothing is fine that was not seen, and what needs a person says what mends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.health.handover_facts import HandoverSeen
from functions.health.history import History, Trouble
from functions.health.notices import Scope
from functions.health.state import State, TenantState
from functions.health.trouble import CELL, KINDS, ORGANIZATION, TENANT
from functions.sweep.trust import DeadTrust
from myflux_keys.names import TAG_OVERLAP_HOURS
from ops.actions.cell_view import Known, cell_view
from ops.actions.connect_view import Links
from ops.actions.fleet_view import ORDER, CellView, HandoverView, LinkView, TenantView, TroubleView
from ops.actions.health_memory import Memory
from ops.actions.orphans import Orphan
from ops.actions.status import CellStatus, tenant_status
from ops.actions.trouble_view import severity_of
from ops.rotation_state import SecretFacts
from tenancy import Fleet, load
from tests.tenancy.files import Files

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SINCE = (NOW - 2 * HOUR).timestamp()


@dataclass
class World:
    """A cell with acme, and globex in the same organization, and everything well unless a test says otherwise."""

    fleet: Fleet
    secret: dict[str, Any] = field(default_factory=dict[str, Any])
    memory: dict[str, Any] = field(default_factory=dict[str, Any])
    tenant: dict[str, Any] = field(default_factory=dict[str, Any])
    found: Mapping[Scope, tuple[Trouble, ...]] = field(default_factory=dict[Scope, tuple[Trouble, ...]])
    looked: timedelta = timedelta(minutes=30)
    unread: Memory | None = None
    orphans: tuple[Orphan, ...] = ()
    trust: tuple[DeadTrust, ...] = ()
    readable: bool | None = True
    links: Links = field(default_factory=Links)
    denied: frozenset[str] = frozenset()

    def cell(self) -> CellView:
        files = dict(self.fleet.tenants)
        files["acme"] = files["acme"].model_copy(update=self.tenant)
        base = SecretFacts(
            "arn",
            "myflux/local/acme/openai",
            {TAG_OVERLAP_HOURS: "24"},
            rotation_enabled=True,
            answered_at=NOW,
            stages={"v2": ["AWSCURRENT"], "v1": ["AWSPREVIOUS"]},
            created=NOW - 60 * 24 * HOUR,
            changed=NOW - 5 * 24 * HOUR,
            last_rotated=NOW - 5 * 24 * HOUR,
            next_rotation=NOW + 25 * 24 * HOUR,
        )
        secrets = {"acme": replace(base, **self.secret), "globex": base}
        readable = {"acme": self.readable, "globex": True}
        lines = [
            tenant_status(slug, files[slug], secrets[slug], readable[slug], NOW, denied=slug in self.denied)
            for slug in files
        ]
        began = (NOW - self.looked).timestamp()
        well = TenantState(
            seen_at=began + 60, limits_at=began, key_version="v2", key_minted_at=SINCE, key_expires_at=SINCE + 9
        )
        state = State(
            tenants={"acme": replace(well, **self.memory), "globex": well},
            histories={scope: History({one.slot: one for one in those}) for scope, those in self.found.items()},
            cycle_began=began,
            costs_as_of=began,
        )
        status = CellStatus(NOW, lines, list(self.orphans), secrets)
        cell = self.fleet.cells["local"]
        return cell_view(Known(cell, files, status, self.trust, self.unread or Memory(state), NOW, self.links))

    def acme(self) -> TenantView:
        return next(one for one in self.cell().tenants if one.slug == "acme")

    def globex(self) -> TenantView:
        return next(one for one in self.cell().tenants if one.slug == "globex")


@pytest.fixture
def world(tmp_path: Any) -> World:
    files = Files(tmp_path / "fleet")
    files.tenant()
    files.tenant("globex", tenant="globex", name="Globex")
    return World(load(tmp_path / "fleet"))


def trouble(kind: str, subject: str = "", **values: str) -> Trouble:
    return Trouble(kind, subject, 1, SINCE, values)


def of(slug: str, *troubles: Trouble) -> dict[Scope, tuple[Trouble, ...]]:
    return {Scope(TENANT, slug): troubles}


def test_a_tenant_that_is_well_is_ok_with_its_times(world: World) -> None:
    days = {date(2026, 11, 27): Decimal("1.50"), date(2026, 11, 28): Decimal(2)}
    world.memory = {"days": days, "spend_limit_cents": 20_000}
    acme = world.acme()
    assert (acme.state, acme.severity, acme.troubles, acme.through) == ("ok", "ok", (), None)
    assert acme.key.minted == datetime.fromtimestamp(SINCE, UTC)
    assert acme.key.overlap_ends == NOW - 4 * 24 * HOUR, "the key before ended a day after the promotion"
    assert acme.spend is not None
    assert (acme.spend.month_usd, acme.spend.budget_usd, acme.spend.limit_usd) == (Decimal("3.50"), 200, Decimal(200))
    assert [day.provisional for day in acme.spend.days] == [False, True], "yesterday may be restated"
    assert world.cell().severity == "ok"


@pytest.mark.parametrize(("more", "keyless"), [({}, True), ({"switching_from": "key"}, False)])
def test_a_tenant_has_no_key_once_its_switch_to_tokens_is_complete(
    world: World, tmp_path: Any, more: dict[str, Any], keyless: bool
) -> None:
    assert not world.acme().keyless
    files = Files(tmp_path / "with-tokens")
    files.cell(federation={"enabled": True})
    files.tenant(credential="federated", **more)
    files.tenant("globex", tenant="globex", name="Globex")
    world.fleet = load(tmp_path / "with-tokens")
    assert world.acme().keyless is keyless


def test_the_sentence_and_the_command_are_those_of_the_message(world: World) -> None:
    world.found = of("acme", trouble("key_refused"))
    acme = world.acme()
    (one,) = acme.troubles
    assert (acme.state, acme.severity) == ("key refused", "broken")
    assert one.sentence == "OpenAI refuses the key, so every call fails"
    assert (one.since, one.command) == (datetime.fromtimestamp(SINCE, UTC), "myflux-keys rotate acme --wait")
    assert one.page == "docs/runbook.md#keyrefused"
    assert world.globex().severity == "ok", "a neighbour has nothing to do with it"


def test_a_hand_over_is_shown_as_the_health_function_saw_it_and_only_of_the_live_key(
    world: World, tmp_path: Any
) -> None:
    files = Files(tmp_path / "with-cinnox")
    files.tenant(consumers={"myflux": True, "cinnox": True})
    files.tenant("globex", tenant="globex", name="Globex")
    world.fleet = load(tmp_path / "with-cinnox")
    assert [(one.consumer, one.state) for one in world.acme().handovers] == [("cinnox", "not checked")]
    due = HandoverSeen("due", "v2", since=SINCE, connected_since=SINCE - 9, ends=SINCE + 9)
    world.memory = {"handovers": {"cinnox": due}}
    (shown,) = world.acme().handovers
    since, connected, ends = (datetime.fromtimestamp(SINCE + more, UTC) for more in (0, -9, 9))
    assert shown == HandoverView("cinnox", "due", since, connected, ends)
    world.memory = {"handovers": {"cinnox": replace(due, version="v1", state="done")}}
    assert world.acme().handovers == (HandoverView("cinnox", "not checked", connected=connected),)
    assert world.globex().handovers == (), "nobody pastes its key anywhere"


def test_a_missed_hand_over_is_broken_with_the_command_that_mends_it(world: World) -> None:
    world.found = of("acme", trouble("handover_missed", "cinnox"))
    acme = world.acme()
    assert (acme.state, acme.severity) == ("handover missed", "broken")
    assert acme.troubles[0].command == "myflux-keys handover acme --consumer cinnox"
    world.found = of("acme", trouble("handover_due", "cinnox"))
    assert world.acme().severity == "attention"


def test_what_needs_a_person_comes_first(world: World) -> None:
    world.found = of("globex", trouble("budget_reached"), trouble("project_spend_limit"))
    globex = world.globex()
    assert [one.slug for one in world.cell().tenants] == ["globex", "acme"]
    assert [one.kind for one in globex.troubles] == ["project_spend_limit", "budget_reached"], "the worst first"
    assert globex.state == "project spend limit"


def test_every_kind_has_a_severity_that_is_not_fine() -> None:
    assert {severity_of(kind) for kind in KINDS} <= {"broken", "attention", "unknown"}
    assert ORDER[0] == severity_of("balance_gone") == "broken"


def test_an_organizations_trouble_is_told_once_and_its_tenants_are_not_called_ok(world: World) -> None:
    world.found = {Scope(ORGANIZATION, "org-local"): (trouble("balance_gone", tenants="2"),)}
    cell = world.cell()
    assert [one.kind for one in cell.troubles] == ["balance_gone"]
    assert "org-local" in cell.troubles[0].sentence
    for one in cell.tenants:
        assert (one.severity, one.state, one.troubles) == ("broken", "balance gone", ())
        assert one.through == cell.troubles[0].sentence
    world.tenant = {"enabled": False}
    world.readable = False
    assert world.acme().severity == "off", "a disabled tenant makes no calls"


def test_where_openai_does_not_answer_nobody_is_dead_and_nobody_is_fine(world: World) -> None:
    world.found = {Scope(CELL, "local"): (trouble("openai_silent", unanswered="2", asked="2"),)}
    assert {one.severity for one in world.cell().tenants} == {"unknown"}


@pytest.mark.parametrize(
    ("kind", "severity"),
    [("health_missing", "attention"), ("health_not_run", "unknown"), ("health_not_read", "unknown")],
)
def test_without_the_health_functions_memory_nobody_is_called_fine(world: World, kind: str, severity: str) -> None:
    world.unread = Memory(None, kind, "it says why")
    cell = world.cell()
    (told,) = cell.troubles
    assert (told.kind, told.severity, told.sentence) == (kind, severity, "it says why")
    assert told.command
    for one in cell.tenants:
        assert (one.severity, one.state, one.through) == ("unknown", "not checked", "it says why")
    assert cell.health_as_of is None
    assert (cell.tenants[0].spend, cell.tenants[0].seen, cell.tenants[0].key.minted) == (None, None, None)


def test_what_is_older_than_two_periods_does_not_count_and_needs_a_person(world: World) -> None:
    world.looked = 2 * HOUR
    assert world.cell().severity == "ok", "two periods are the limit"
    world.looked = 2 * HOUR + timedelta(seconds=1)
    world.found = of("globex", trouble("key_refused"))
    cell = world.cell()
    assert (cell.troubles[0].kind, cell.troubles[0].severity) == ("health_late", "attention")
    assert cell.troubles[0].command == "aws logs tail /aws/lambda/myflux-local-health --since 12h"
    assert world.acme().state == "not checked"
    assert world.globex().state == "key refused", "what was wrong then is still shown"


def test_a_look_that_is_still_to_come_is_no_look(world: World) -> None:
    """With this machine's clock behind, the function could have stopped long ago and still seem to work."""
    world.looked = -HOUR
    assert world.cell().severity == "ok", "clocks differ a little"
    world.looked = -HOUR - timedelta(seconds=1)
    cell = world.cell()
    assert (cell.troubles[0].kind, cell.troubles[0].severity) == ("clocks_differ", "unknown")
    assert world.acme().state == "not checked"


def test_a_kind_that_only_a_later_version_knows_is_told(world: World) -> None:
    world.found = of("acme", trouble("comet_near")) | {Scope(ORGANIZATION, "org-local"): (trouble("moon_gone"),)}
    cell = world.cell()
    assert [(one.kind, one.severity) for one in cell.troubles] == [("moon_gone", "attention")]
    (one,) = world.acme().troubles
    assert one.sentence == "the health function found `comet_near`, which this checkout does not know"
    assert (one.severity, one.since) == ("attention", datetime.fromtimestamp(SINCE, UTC))


def test_values_that_are_not_those_of_this_version_are_told_as_they_are(world: World) -> None:
    key = "sk-" + "proj-" + "A1b2" * 8
    retiring = trouble("model_retiring", "gpt-5-mini", date="soon", replacement="m", input_usd="1", days="x")
    drift = trouble("limit_drift", "x", limit=f"speed {{of}} {key}", declared="a", actual=key)
    world.found = of("acme", retiring, drift)
    acme = world.acme()
    told = {one.kind: one.sentence for one in acme.troubles}
    assert "speed {of} [redacted]" in told["limit_drift"]
    assert key not in str(acme)
    assert acme.models[0].ends == date(2026, 12, 11), "a day that is none leaves the one that we know"


def test_a_tenant_that_was_never_seen_or_not_for_long_is_not_checked(world: World) -> None:
    world.memory = {"seen_at": None}
    assert (world.acme().state, world.acme().severity) == ("not checked", "unknown")
    assert world.acme().troubles[0].command == "myflux-keys verify acme"
    world.memory = {"seen_at": (NOW - 3 * HOUR).timestamp()}
    assert world.acme().troubles[0].since == NOW - 3 * HOUR, "the last good answer, with its time"
    assert world.globex().severity == "ok"


def test_a_finding_about_a_key_that_was_replaced_is_not_held_against_the_new_one(world: World) -> None:
    world.found = of("acme", trouble("key_refused"))
    world.secret = {"stages": {"v3": ["AWSCURRENT"]}}
    acme = world.acme()
    assert (acme.severity, acme.troubles[0].command) == ("unknown", None)
    assert "the new one was not looked at yet" in acme.troubles[0].sentence
    assert (acme.key.minted, acme.key.expires) == (None, None), "those of the key before are not shown as its own"


@pytest.mark.parametrize(
    ("secret", "state", "severity", "command"),
    [
        ({"next_rotation": NOW - HOUR}, "overdue", "attention", "myflux-keys rotate acme --wait"),
        ({"rotation_enabled": False}, "rotation off", "attention", "myflux-keys up acme"),
        ({"stages": {"v2": ["AWSCURRENT"], "v3": ["AWSPENDING"]}, "changed": NOW - HOUR}, "pending", "ok", None),
        (
            {"stages": {"v2": ["AWSCURRENT"], "v3": ["AWSPENDING"]}, "changed": NOW - 6 * HOUR},
            "rotation unfinished",
            "attention",
            "myflux-keys rotate acme --wait",
        ),
        ({"stages": {}, "created": NOW - timedelta(minutes=5)}, "no key", "unknown", None),
        ({"stages": {}}, "no key", "broken", "myflux-keys rotate acme --wait"),
    ],
)
def test_what_aws_shows_by_itself(world: World, secret: Any, state: str, severity: str, command: str | None) -> None:
    world.secret = secret
    acme = world.acme()
    assert (acme.state, acme.severity) == (state, severity)
    assert [one.command for one in acme.troubles] == ([command] if acme.troubles else [])
    if severity == "attention":
        assert command is not None


def test_a_rotation_that_is_late_is_told_once(world: World) -> None:
    world.secret = {"next_rotation": NOW - HOUR}
    world.found = of("acme", trouble("rotation_late"))
    assert [(one.kind, one.since) for one in world.acme().troubles] == [("rotation_late", NOW - HOUR)]


def test_file_and_aws_that_disagree_are_told_with_the_way_out(world: World) -> None:
    world.readable = False
    (one,) = world.acme().troubles
    assert (one.sentence, one.command) == (
        "its file says enabled, and AWS denies reads of its key",
        "myflux-keys up acme",
    )


@pytest.mark.parametrize(
    ("tenant", "severity", "command"),
    [
        ({"credential": "federated"}, "broken", "myflux-keys revoke acme"),
        ({"credential": "federated", "enabled": False}, "attention", "myflux-keys revoke acme"),
        ({"credential": "federated", "switching_from": "key"}, "broken", "myflux-keys revoke acme"),
        ({}, "broken", "myflux-keys enable acme"),
    ],
)
def test_denied_sessions_are_told_with_the_way_out(
    world: World, tenant: dict[str, Any], severity: str, command: str
) -> None:
    """Of a disabled tenant too: a revocation that was stopped has written `enabled: false` into its file."""
    world.tenant, world.denied = tenant, frozenset({"acme"})
    acme = world.acme()
    assert (acme.state, acme.severity) == ("sessions denied", severity)
    assert ("sessions_denied", command) in [(one.kind, one.command) for one in acme.troubles]
    assert world.globex().severity == "ok", "another tenant's sessions are none of this"
    world.denied = frozenset()
    assert "sessions_denied" not in [one.kind for one in world.acme().troubles]


def test_a_secret_without_a_policy_is_told(world: World) -> None:
    world.readable = None
    assert [(one.kind, one.command) for one in world.acme().troubles] == [("no_policy", "myflux-keys up acme")]


def test_an_orphan_keeps_its_own_words_and_says_what_the_function_says_too_only_once(world: World) -> None:
    world.orphans = (Orphan("acme", "local", "SecretMissing", "it is gone", "`myflux-keys up acme` makes one."),)
    world.found = of("acme", trouble("secret_missing"))
    (one,) = world.acme().troubles
    assert (one.kind, one.severity, one.command) == ("SecretMissing", "broken", "myflux-keys up acme")


@pytest.mark.parametrize("kind", ["secret_missing", "secret_deleting"])
def test_a_secret_that_is_there_now_was_made_or_restored_since_the_function_looked(world: World, kind: str) -> None:
    world.found = of("acme", trouble(kind))
    assert world.acme().troubles == ()
    world.secret = {"deleted": NOW}
    assert [one.kind for one in world.acme().troubles] == [kind]


OPEN = LinkView("1" * 32, "open", NOW + HOUR)
WAITING = LinkView("2" * 32, "waiting", NOW + 2 * HOUR, NOW - HOUR, "acme-travel-x1y2z3", "aB3d")
THEIRS = {"source": "customer", "rotation": None}


@pytest.mark.parametrize(
    ("links", "do", "command"),
    [
        (Links(), "ask the customer for one, and store it", "myflux-keys key set acme"),
        (Links(offered=True), "send the customer a link", "myflux-keys connect acme"),
        (
            Links({"acme": (OPEN,)}, offered=True),
            "wait for the customer, whose link is open until 2026-11-29 10:00Z",
            None,
        ),
        (
            Links({"acme": (OPEN, replace(OPEN, state="handed in"))}, offered=True),
            "wait: a key was handed in, and the promoter looks at it within a minute",
            None,
        ),
    ],
)
def test_how_a_customers_first_key_comes_depends_on_page_and_link(
    world: World, links: Links, do: str, command: str | None
) -> None:
    world.tenant, world.secret, world.links = THEIRS, {"stages": {}, "rotation_enabled": False}, links
    acme = world.acme()
    (one,) = acme.troubles
    assert (acme.state, one.kind, one.severity, one.do, one.command) == ("no key", "no_key", "broken", do, command)
    assert acme.links == links.open.get("acme", ())


@pytest.mark.parametrize(
    ("stages", "state", "severity"),
    [({"v2": ["AWSCURRENT"]}, "key waits", "attention"), ({}, "no key", "broken")],
)
def test_a_key_that_waits_needs_a_person_and_is_told_once(world: World, stages: Any, state: str, severity: str) -> None:
    world.tenant, world.secret = THEIRS, {"stages": stages, "rotation_enabled": False}
    world.links = Links({"acme": (OPEN, WAITING)}, offered=True)
    acme = world.acme()
    (one,) = acme.troubles
    assert (acme.state, acme.severity, one.kind, one.since) == (state, severity, "key_waits", NOW - HOUR)
    assert one.command == "myflux-keys connect confirm acme"
    for what in ("ending in aB3d", "acme-travel-x1y2z3", "waits for a person"):
        assert what in one.sentence
    assert world.globex().severity == "ok", "a link of another tenant is nothing to it"


def test_of_several_keys_that_wait_the_first_one_says_since_when(world: World) -> None:
    world.tenant, world.secret = THEIRS, {"rotation_enabled": False}
    later = replace(WAITING, waiting_since=NOW, last_four="Zz9z")
    world.links = Links({"acme": (later, WAITING)}, offered=True)
    (one,) = world.acme().troubles
    assert one.sentence.startswith("2 keys, the first ending in aB3d, wait for a person")


def test_links_that_could_not_be_read_are_the_cells_trouble(world: World) -> None:
    world.links = Links(trouble=TroubleView("connect_not_read", "unknown", "the links were not read"))
    assert [one.kind for one in world.cell().troubles] == ["connect_not_read"]


def test_a_role_that_trusts_somebody_deleted_is_the_cells_trouble(world: World) -> None:
    world.trust = (DeadTrust("myflux-local-runtime", None, ["AIDAX"]),)
    (one,) = world.cell().troubles
    assert (one.kind, one.command) == ("trusted_principal_gone", "pulumi up --refresh --stack local")


def test_a_models_end_is_what_openai_told_last(world: World) -> None:
    world.tenant = {"models": ("gpt-5-mini", "gpt-4o-mini")}
    told = {"date": "2026-12-12", "days": "13", "replacement": "gpt-9"}
    world.found = of("acme", trouble("model_retiring", "gpt-5-mini", **told))
    first, second = world.acme().models
    assert (first.model, first.default) == ("gpt-5-mini", True)
    assert (first.ends, first.replacement) == (date(2026, 12, 12), "gpt-9"), "not those of the list that we ship"
    assert first.requests_per_minute == 500
    assert (second.default, second.requests_per_minute) == (False, None)
