"""`myflux-keys connect`: a person makes, lists and revokes links, and confirms organizations.

The promoter is deployed, and runs as Lambda runs it.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import tenancy
from functions import packer
from functions.connect.seen import Seen
from functions.promoter.settings import BUCKET, INTAKE_KEY, LINK_KEY
from functions.shared.intake import Issued, Outcome, Place
from functions.shared.link import Link
from myflux_keys.cell_functions import CONNECT, PROMOTER
from ops.account import Account
from ops.actions.connect_confirm import refusal
from ops.actions.connect_links import state_of
from ops.actions.connect_view import Links, key_waits, open_links
from ops.cli import ask, main
from tests.connect.world import CELL, MODEL, OTHER_MODEL, Cell, World

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        return json.loads(self.out)


Command = Callable[..., Said]


@pytest.fixture(scope="module")
def deployed(cell: Cell, tmp_path_factory: pytest.TempPathFactory) -> Cell:
    """The promoter as it is deployed, under its own role, and a function with a URL in the page's place: what the page
    answers is for its own tests."""
    code = packer.build("promoter", tmp_path_factory.mktemp("zips") / "promoter.zip").read_bytes()
    functions = cell.local.client("administrator", "lambda")
    for one in (PROMOTER, CONNECT):
        functions.create_function(
            FunctionName=cell.names.function(one),
            Role=cell.names.function_role_arn(one),
            Runtime="python3.13",
            Handler=PROMOTER.handler,
            Code={"ZipFile": code},
            Timeout=300,
            Environment={
                "Variables": {
                    "MYFLUX_CELL": CELL,
                    "MYFLUX_ADMIN_SECRET": cell.names.admin_secret,
                    "OPENAI_BASE_URL": cell.local.openai_url,
                    "MYFLUX_ORGANIZATION_ID": "org-local",
                    BUCKET: cell.bucket,
                    INTAKE_KEY: cell.intake_key,
                    LINK_KEY: cell.link_key,
                }
            },
        )
    functions.create_function_url_config(FunctionName=cell.names.function(CONNECT), AuthType="NONE")
    functions.close()
    return cell


@pytest.fixture
def command(
    world: World, deployed: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs the command in this process, with a fleet of one tenant."""
    for folder in ("tenants", "cells"):
        (tmp_path / folder).mkdir()
    text = (ROOT / "cells" / "local.yaml").read_text(encoding="utf-8")
    (tmp_path / "cells" / "local.yaml").write_text(text, encoding="utf-8")
    head = f"tenant: {world.tenant}\nname: Acmé Travel\ncell: {CELL}\ncountry: CR\nmodels: [{MODEL}, {OTHER_MODEL}]\n"
    (tmp_path / "tenants" / f"{world.tenant}.yaml").write_text(f"{head}source: customer\n", encoding="utf-8")
    managed = head.replace(world.tenant, "managed") + "source: managed\nrotation: {every_days: 30, overlap_hours: 24}\n"
    (tmp_path / "tenants" / "managed.yaml").write_text(managed, encoding="utf-8")

    def run(*arguments: str, user: str = "deployer", answer: str | None = None) -> Said:
        for name, value in deployed.local.environment(user).items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        monkeypatch.setenv("MYFLUX_FLEET", str(tmp_path))
        monkeypatch.setattr(sys, "stdin", io.StringIO("" if answer is None else f"{answer}\n"))
        monkeypatch.setattr(ask, "can_answer", lambda: answer is not None)
        capsys.readouterr()
        code = main.attempt(["connect", *arguments])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def made(world: World, said: Said) -> tuple[Link, str]:
    """The link that a command printed, and its token; its MAC is checked as the functions do."""
    assert said.code == 0, said.err
    url = said.facts["url"] if said.out.startswith("{") else said.out.strip()
    assert re.fullmatch(r"https?://[^#]+/#[A-Za-z0-9_.-]+", url)
    assert len(url) < 300
    token = url.partition("#")[2]
    link = world.services().intake.genuine(token)
    assert link is not None
    return link, token


def test_a_link_is_made_used_and_its_organization_confirmed(command: Command, world: World) -> None:
    link, token = made(world, command(world.tenant, "--language", "es"))
    assert (link.cell, link.tenant, link.language, link.expires - link.issued) == (CELL, world.tenant, "es", 24 * 3600)
    place = Place.of(link)
    issued = Issued.from_json((world.get(place.link) or b"").decode())
    assert (issued.name, issued.models) == ("Acmé Travel", (MODEL, OTHER_MODEL))
    assert issued.issued_by == world.cell.deployer, "who made it is on record"
    assert command("--list", "--json").facts["cells"][CELL][0]["state"] == "open"

    key = world.key()
    world.hand_in(place, token, key)
    assert command(world.tenant, "--list", "--json").facts["cells"][CELL][0]["state"] == "handed in"
    early = command("confirm", world.tenant, "--yes")
    assert (early.code, "run this again in a minute" in early.err) == (1, True), early.err
    world.promote()
    said = command("confirm", world.tenant, answer="y")
    assert said.code == 0, said.err
    assert f"Organization: {world.organization}" in said.err
    assert f"...{key[-4:]}" in said.err
    assert said.out == f"Confirmed and stored: the key ending in {key[-4:]} is {world.tenant}'s live key.\n"
    live = world.live()
    assert live is not None
    assert live.reveal() == key
    assert command(world.tenant, "--list", "--json").facts["cells"][CELL][0]["state"] == "promoted"
    assert key not in said.out + said.err


def test_nothing_is_confirmed_without_an_answer(command: Command, world: World) -> None:
    place = world.saved(world.key())
    world.promote()
    refused = command("confirm", world.tenant, answer="n")
    assert (refused.code, "nothing was changed" in refused.err) == (1, True)
    unheard = command("confirm", world.tenant)
    assert (unheard.code, "not a terminal" in unheard.err) == (2, True)
    assert world.get(place.confirmed) is None
    assert world.live() is None


def test_where_several_wait_one_is_chosen(command: Command, world: World) -> None:
    first, second = world.saved(world.key()), world.saved(world.key())
    world.promote()
    said = command("confirm", world.tenant, "--yes")
    assert said.code == 1
    assert first.id in said.err
    assert second.id in said.err
    assert command("confirm", world.tenant, "--link", second.id, "--yes").code == 0
    assert "AWSCURRENT" in world.versions()[second.id]
    assert "no key" in command("confirm", world.tenant, "--link", second.id, "--yes").err


def test_a_confirmed_key_that_openai_refuses_now_is_told(command: Command, world: World) -> None:
    """The customer deleted it in the meantime."""
    key_id, key = world.theirs.key()
    world.saved(key)
    world.promote()
    world.theirs.end(key_id)
    said = command("confirm", world.tenant, "--yes")
    assert (said.code, "the key was refused: refused" in said.err) == (1, True)
    assert world.live() is None


def test_a_link_that_is_taken_back_while_a_person_is_asked_is_dead(command: Command, world: World) -> None:
    place = world.saved(world.key())
    world.promote()
    world.put(place.revoked, b"")
    assert "no key of" in command("confirm", world.tenant, "--yes").err
    said = refusal("revoked")
    assert "The link is dead: make another." in said
    assert "still open" in refusal("refused")


def test_where_openai_does_not_answer_the_confirmation_stays(command: Command, world: World) -> None:
    key = world.key()
    place = world.saved(key)
    world.promote()
    world.cell.local.openai.fault("500", count=3, path="/v1/models/")
    said = command("confirm", world.tenant, "--yes", "--json")
    assert (said.code, said.facts["state"]) == (0, "waiting")
    world.cell.local.openai.clear_faults()
    assert world.promote(place) == {"promote": 1}


def test_open_links_are_revoked_and_no_others(command: Command, world: World) -> None:
    world.confirm(used := world.saved(world.key()))
    world.promote()
    first, token = made(world, command(world.tenant))
    second, _ = made(world, command(world.tenant))
    before = _objects(world)
    would = command(world.tenant, "--revoke", "--dry-run", "--json").facts
    assert (would["dry_run"], len(would["plan"])) == (True, 2)
    assert {one["link"] for one in would["links"]} == {first.id, second.id}
    assert _objects(world) == before
    assert all(one["state"] == "open" for one in would["links"])
    assert second.id in command(world.tenant, "--revoke", "--link", second.id, "--dry-run").out
    said = command(world.tenant, "--revoke", "--json")
    assert [one["state"] for one in said.facts["links"]] == ["revoked", "revoked"]
    assert used.id not in said.out
    world.hand_in(Place.of(first), token, world.key())
    world.promote()
    outcome = world.outcome(Place.of(first))
    assert isinstance(outcome, Outcome)
    assert outcome.reason == "revoked"
    assert "nothing to do" in command(world.tenant, "--revoke").out
    assert "nothing to do" in command(world.tenant, "--revoke", "--dry-run").out
    live = command(world.tenant, "--revoke", "--link", used.id)
    assert (live.code, "is live already" in live.err) == (1, True)
    assert "has no link" in command(world.tenant, "--revoke", "--link", "0" * 32).err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("{tenant}", "--expires", "30m"), 1, "1 hour to 7 days"),
        (("{tenant}", "--expires", "8d"), 1, "1 hour to 7 days"),
        (("{tenant}", "--expires", "soon"), 2, "is not a duration"),
        (("{tenant}", "--language", "fr"), 2, "es or en"),
        (("{tenant}", "--list", "--revoke"), 2, "not both"),
        (("{tenant}", "--link", "0" * 32), 2, "give --revoke too"),
        (("{tenant}", "--dry-run"), 2, "--dry-run is of --revoke"),
        (("{tenant}", "--list", "--link", "0" * 32), 2, "give --revoke too"),
        (("managed",), 1, "only the rotation function makes"),
        (("nobody",), 1, "there is no tenant"),
        (("--revoke",), 2, "give a TENANT"),
        (("confirm", "{tenant}"), 1, "no key of"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(
    command: Command, world: World, arguments: tuple[str, ...], code: int, says: str
) -> None:
    said = command(*(one.format(tenant=world.tenant) for one in arguments))
    assert (said.code, says in said.err) == (code, True), said.err
    assert not [key for key in _objects(world) if world.tenant in key]


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ({"RecoveryWindowInDays": 7}, "deletion is scheduled"),
        ({"ForceDeleteWithoutRecovery": True}, "it has no secret"),
    ],
)
def test_a_tenant_without_a_secret_gets_no_link(
    command: Command, world: World, window: dict[str, Any], says: str
) -> None:
    world.cell.person.secrets.delete_secret(SecretId=world.secret, **window)
    assert says in command(world.tenant).err
    assert not [key for key in _objects(world) if world.tenant in key]


@pytest.mark.parametrize("user", ["ci", "runtime"])
def test_no_pipeline_and_no_application_makes_or_confirms_a_link(command: Command, world: World, user: str) -> None:
    world.saved(world.key())
    world.promote()
    for arguments in ((world.tenant,), (world.tenant, "--list"), (world.tenant, "--revoke"), ("confirm", world.tenant)):
        said = command(*arguments, user=user)
        assert (said.code, "AWS refuses" in said.err) == (1, True), said.err
        assert "arn:aws:iam::000000000000:user/deployer" in said.err, "it says who may"


def test_a_cell_without_a_page_says_how_to_get_one(
    command: Command, world: World, deployed: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = type(deployed.names)
    monkeypatch.setattr(names, "connect_bucket", "myflux-connect-none-000000000000")
    monkeypatch.setattr(names, "function", lambda _names, one: f"myflux-none-{one.ending}")
    monkeypatch.setattr(names, "link_kms_alias", "alias/myflux-link/none")
    for arguments in ((world.tenant,), (world.tenant, "--list"), ("confirm", world.tenant)):
        assert "connect: {enabled: true}" in command(*arguments).err
    assert command("--list").out == "There are no links.\n"
    file = tmp_path / "cells" / "local.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "connect: {enabled: true}\n", encoding="utf-8")
    said = command(world.tenant).err
    assert ("`myflux-keys up --cell local` deploys it" in said, "write" in said) == (True, False), said


NOW = datetime(2026, 11, 30, tzinfo=UTC).timestamp()
ISSUED = Issued("acme", "Acme", (MODEL,), "es", int(NOW) - 60, int(NOW) + 60, "arn:aws:iam::1:user/ann")


@pytest.mark.parametrize(
    ("told", "revoked", "handed_in", "later", "state"),
    [
        (None, False, False, 0, "open"),
        (None, False, True, 0, "handed in"),
        ("waiting", False, True, 0, "waiting"),
        ("waiting", False, True, 3600, "waiting"),
        ("refused", False, False, 0, "refused"),
        ("refused", False, True, 0, "handed in"),
        ("refused", False, False, 3600, "expired"),
        (None, False, False, 60, "expired"),
        (None, True, True, 0, "revoked"),
        ("promoted", True, False, 3600, "promoted"),
    ],
)
def test_a_state_is_what_matters_most(told: Any, revoked: bool, handed_in: bool, later: int, state: str) -> None:
    outcome = Outcome(told, "now") if told else None
    assert state_of(ISSUED, outcome, revoked=revoked, handed_in=handed_in, now=NOW + later) == state


def test_a_list_shows_how_often_a_link_was_opened_and_checked(command: Command, world: World) -> None:
    link, _ = made(world, command(world.tenant))
    (never,) = command(world.tenant, "--list", "--json").facts["cells"][CELL]
    assert (never["opens"], never["checks"]) == (0, 0)
    world.cell.page.s3.put_object(
        Bucket=world.cell.bucket, Key=Place.of(link).seen, Body=Seen(opens=3, checks=2).to_json().encode()
    )
    (opened,) = command(world.tenant, "--list", "--json").facts["cells"][CELL]
    assert (opened["state"], opened["opens"], opened["checks"]) == ("open", 3, 2)
    assert re.search(r"OPENED +CHECKS .*\n.* 3 +2 +" + link.id, command(world.tenant, "--list").out)


def test_a_record_that_the_page_damaged_hides_no_link(command: Command, world: World) -> None:
    link, _ = made(world, command(world.tenant))
    for body in (b"[]", b"{}", b'{"keys":[]}', b"nothing"):
        world.cell.page.s3.put_object(Bucket=world.cell.bucket, Key=Place.of(link).seen, Body=body)
        (one,) = command(world.tenant, "--list", "--json").facts["cells"][CELL]
        assert (one["state"], one["opens"], one["checks"]) == ("open", None, None)


@pytest.mark.parametrize("body", [b"[]", b"\xff\xfe", b'{"tenant": 1}'])
def test_a_damaged_object_is_named(command: Command, world: World, body: bytes) -> None:
    link, _ = made(world, command(world.tenant))
    world.put(Place.of(link).link, body)
    said = command(world.tenant, "--list")
    assert (said.code, f"s3://{world.cell.bucket}/{Place.of(link).link} is damaged" in said.err) == (1, True), said.err


@pytest.fixture
def looking(world: World, deployed: Cell, tmp_path: Path) -> Callable[..., Links]:
    """What `status` reads of the cell's links, as one of the cell's users."""
    text = (ROOT / "cells" / "local.yaml").read_text(encoding="utf-8")
    for folder in ("tenants", "cells"):
        (tmp_path / "seen" / folder).mkdir(parents=True)

    def look(user: str = "deployer", setting: str = "connect: {enabled: true}\n") -> Links:
        (tmp_path / "seen" / "cells" / "local.yaml").write_text(text + setting, encoding="utf-8")
        cell = tenancy.load(tmp_path / "seen").cells[CELL]
        with Account(cell, "status", session=deployed.local.session(user)) as account:
            return open_links(account, [world.tenant], datetime.now(UTC))

    return look


def test_status_shows_the_links_that_are_open_and_who_must_act(
    command: Command, world: World, looking: Callable[..., Links]
) -> None:
    command(world.tenant, "--revoke", "--link", made(world, command(world.tenant))[0].id)
    link, _ = made(world, command(world.tenant))
    assert [(one.id, one.state) for one in looking().open[world.tenant]] == [(link.id, "open")]
    key = world.key()
    waiting = world.saved(key)
    world.promote()
    links = looking().open[world.tenant]
    assert sorted((one.id, one.state) for one in links) == sorted([(link.id, "open"), (waiting.id, "waiting")])
    told = key_waits(world.tenant, links, has_key=True)
    assert told is not None
    assert (told.severity, told.command) == ("attention", f"myflux-keys connect confirm {world.tenant}")
    assert f"ending in {key[-4:]}, of the organization {world.organization}" in told.sentence
    assert key not in str(links)
    world.confirm(waiting)
    world.promote()
    assert [one.id for one in looking().open[world.tenant]] == [link.id], "a promoted key's link is not open"


def test_status_goes_on_where_the_links_may_not_be_read(
    command: Command, world: World, looking: Callable[..., Links]
) -> None:
    made(world, command(world.tenant))
    trouble = looking("ci").trouble
    assert trouble is not None
    assert (trouble.kind, trouble.severity) == ("connect_not_read", "unknown")
    assert "only the cell's deployers may work with links" in trouble.sentence


def test_a_page_that_was_not_deployed_yet_is_told(
    looking: Callable[..., Links], deployed: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(deployed.names), "connect_bucket", "myflux-connect-none-000000000000")
    trouble = looking().trouble
    assert trouble is not None
    assert (trouble.kind, trouble.command) == ("connect_missing", "myflux-keys up --cell local")


def test_a_cell_without_connect_is_not_asked(looking: Callable[..., Links], monkeypatch: pytest.MonkeyPatch) -> None:
    """With a page that would answer."""

    def asked(account: Account) -> None:
        raise AssertionError(f"{account.cell.cell} was asked")

    monkeypatch.setattr(Account, "buckets", property(asked))
    assert looking(setting="") == Links()
    with pytest.raises(AssertionError, match="was asked"):
        looking()


def test_help_teaches_both_commands(command: Command) -> None:
    said = command("--help")
    assert "connect TENANT" in said.out
    assert "confirm" in said.out
    assert "secret until their key is stored" in " ".join(command("link", "--help").out.split())


def _objects(world: World) -> list[str]:
    answer = world.cell.person.s3.list_objects_v2(Bucket=world.cell.bucket)
    return [item["Key"] for item in answer.get("Contents", [])]
