"""A hand-over as a cycle of the health function sees it: the record in S3, the versions' dates, and OpenAI's list."""

from __future__ import annotations

import uuid
from typing import Any

import openai
import pytest

from functions.health.look import look
from functions.shared.handover import Handover, confirmed, object_name
from myflux_keys import names
from myflux_keys.payload import Payload, SecretText
from tests.health.world import MODEL, World

HOUR, DAY = 3600, 86_400
OVERLAP = DAY


class Pasted:
    """A tenant whose key a person pastes into CINNOX. Its keys are made as a rotation makes them."""

    def __init__(self, world: World, slug: str = "acme") -> None:
        self.world, self.slug = world, slug
        self.tenant = world.tenant(slug)
        self.name = names.secret_name(world.slug, slug)
        self.record: Handover | None = None
        more = {
            names.TAG_CONSUMERS: "myflux cinnox",
            names.TAG_PERMISSION: "restricted",
            names.TAG_MODELS: MODEL,
            names.TAG_EVERY_DAYS: "30",
            names.TAG_OVERLAP_HOURS: "24",
        }
        tags = [{"Key": tag, "Value": value} for tag, value in more.items()]
        world.aws.secrets.tag_resource(SecretId=self.name, Tags=tags)
        self.key_id = self.version = ""
        self.pasted = SecretText("")
        self.rotate()

    def payload(self) -> Payload:
        text = self.world.aws.secrets.get_secret_value(SecretId=self.name)["SecretString"]
        return Payload.from_json(text)

    def rotate(self) -> None:
        """The old key gets its overlap."""
        world, before = self.world, self.payload()
        self.version = str(uuid.uuid4())
        with world.admin() as client:
            accounts = client.admin.organization.projects.service_accounts
            made = accounts.api_keys.create(
                before.service_account_id,
                project_id=before.project_id,
                name=names.key_name(world.slug, self.slug, self.version),
                expires_in_seconds=34 * DAY,
            )
        if self.key_id:
            self.expire(before.key_id, OVERLAP)
        self.key_id = made.id
        world.keys.append(made.value)
        text = before.to_json().replace(before.api_key.reveal(), made.value).replace(before.key_id, made.id)
        world.aws.secrets.put_secret_value(SecretId=self.name, SecretString=text, ClientRequestToken=self.version)

    def expire(self, key_id: str, seconds: int) -> None:
        """As the sweep does too."""
        with self.world.admin() as client:
            project = self.tenant.project_id
            body: Any = {"expires_in_seconds": seconds}
            client.post(f"/organization/projects/{project}/api_keys/{key_id}", body=body, cast_to=object)

    def confirm(self) -> None:
        now = int(self.world.now())
        ids = {"key_id": self.key_id, "version_id": self.version}
        self.record = confirmed(self.record, tenant=self.slug, consumer="cinnox", **ids, now=now, by="ann")
        self.world.put(object_name(self.slug, "cinnox"), self.record.to_json())

    def paste(self) -> None:
        self.pasted = self.payload().api_key

    def calls(self) -> None:
        with openai.OpenAI(api_key=self.pasted.reveal(), base_url=self.world.url, max_retries=0) as client:
            client.responses.create(model=MODEL, input="Is anybody there?")

    def cycle(self) -> list[str]:
        """The first lines of the messages about it."""
        assert not self.world.cycle()["failed"]
        return self.world.messages()

    @property
    def open(self) -> list[tuple[str, str]]:
        return [one for history in self.world.state().histories.values() for one in history.open]

    @property
    def remembered(self) -> Any:
        return self.world.state().tenants[self.slug].handovers["cinnox"]


@pytest.fixture
def acme(world: World) -> Pasted:
    acme = Pasted(world)
    acme.paste()
    acme.confirm()
    world.cell.advance(2 * DAY)
    return acme


TROUBLE, REMINDER, OVER = (f"{word}: tenant acme (Acme Travel)" for word in ("Trouble", "Reminder", "Over"))


def test_from_a_rotation_to_a_hand_over_that_the_old_key_doubted_at_first(acme: Pasted) -> None:
    cell, old = acme.world.cell, acme.key_id
    assert acme.cycle() == []
    assert acme.remembered.state == "done"
    acme.rotate()
    assert acme.cycle() == [TROUBLE]
    assert (acme.remembered.state, acme.remembered.connected_since) == (
        "due",
        acme.record and acme.record.connected_since,
    )
    cell.advance(2 * HOUR)
    assert acme.cycle() == [], "once a day"
    cell.advance(20 * HOUR)
    acme.expire(old, 26 * HOUR)
    cell.advance(3 * HOUR)
    assert acme.cycle() == [REMINDER]

    acme.confirm()
    assert acme.cycle() == [], "too early to tell"
    cell.advance(2 * HOUR)
    acme.calls()
    assert acme.cycle() == [TROUBLE], "it was not saved: CINNOX calls with the old key"
    assert (acme.open, acme.remembered.state) == ([("handover_doubted", "cinnox")], "saved")

    acme.paste()
    acme.confirm()
    cell.advance(HOUR)
    acme.calls()
    assert acme.cycle() == [OVER]
    assert acme.remembered.state == "done"


def test_the_last_day_and_the_end_are_told(acme: Pasted) -> None:
    cell, old = acme.world.cell, acme.key_id
    acme.rotate()
    assert acme.cycle() == [TROUBLE]
    acme.expire(old, 7 * DAY)
    cell.advance(6 * DAY + HOUR)
    assert acme.cycle() == [TROUBLE]
    assert acme.cycle() == []
    cell.advance(DAY)
    assert acme.cycle() == [TROUBLE]
    assert acme.open == [("handover_missed", "cinnox")]


def test_a_look_tells_the_state_of_the_hand_over_now(acme: Pasted) -> None:
    acme.rotate()
    world = acme.world
    answer = look(world.services(), {"action": "look", "tenant": "acme"})
    seen = answer["handovers"]["cinnox"]
    assert (seen["state"], seen["version"]) == ("due", acme.version)
    assert seen["ends"] == pytest.approx(world.now() + 7 * DAY, abs=60)
    assert [one["kind"] for one in answer["findings"]] == ["handover_due"]


def test_a_record_that_cannot_be_read_counts_as_none(acme: Pasted) -> None:
    acme.world.put(object_name("acme", "cinnox"), "{")
    assert acme.cycle() == [TROUBLE]
    assert acme.remembered.state == "due"


def test_a_customers_own_key_is_unknown_and_tells_nothing(world: World) -> None:
    key = world.tenant("owner", declared=False).key
    theirs = world.customer("theirs", key)
    tags = [{"Key": names.TAG_CONSUMERS, "Value": "cinnox"}]
    world.aws.secrets.tag_resource(SecretId=names.secret_name(world.slug, theirs.slug), Tags=tags)
    world.cycle()
    assert world.state().tenants["theirs"].handovers["cinnox"].state == "unknown"
    assert not [line for line in world.messages() if "theirs" in line]
