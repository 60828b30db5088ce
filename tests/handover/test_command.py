"""`myflux-keys handover` as a person runs it: a real role with MFA, a real page in a real browser, a real record."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.leaks import Text, files, prove_search, search
from functions.shared.handover import object_name
from ops.actions import run_handover
from ops.actions.run_handover import Asked, Done, Talk
from ops.errors import OperationError
from tests.browser.launch import NewPage, recorded
from tests.handover.person import say_saved
from tests.handover.world import Pasted, Running, World

pytestmark = [pytest.mark.browser, pytest.mark.cell]


@pytest.fixture(scope="module")
def tenant(world: World) -> Pasted:
    """For tests that record nothing."""
    return world.tenant()


def options(slug: str) -> tuple[str, ...]:
    return (slug, "--consumer", "cinnox", "--json")


def test_a_key_is_handed_over_recorded_and_read_back(world: World, new_page: NewPage) -> None:
    tenant = world.tenant()
    with world.command(*options(tenant.slug)) as running:
        running.give(world.code())
        page = new_page()
        page.goto(running.link())
        expect(page.locator("#masked")).to_have_text(f"…{tenant.current.value[-4:]}")
        say_saved(page)
        lines = page.locator("#lines li").all_inner_texts()
        code, out = running.end()

    told: dict[str, Any] = json.loads(out)
    record = world.record(tenant.slug)
    assert record is not None
    assert (code, told["end"], told["recorded"], told["test"]) == (0, "saved", True, "worked")
    assert (record.key_id, record.version_id, record.by) == (tenant.current.id, told["version_id"], "deployer")
    assert (told["state"], told["old_key"]["id"]) == ("saved", tenant.old.id), "too early to know that it is unused"
    assert told["old_key"]["last_day"] > told["old_key"]["expires_at"] > record.confirmed_at
    assert tenant.old.id in lines[1]
    entry = world.journal()[-1]
    assert (entry["operation"], entry["done"]) == ("handover-cinnox", ["read", "confirmed"])
    assert entry["entries"][tenant.slug]["outcome"] == "succeeded"
    (read,) = world.reads(tenant.slug)
    assert read["userIdentity"]["arn"].endswith(":assumed-role/myflux-local-handover/deployer")


def test_the_first_connection_stays_known_and_a_rotation_makes_it_due_again(world: World, new_page: NewPage) -> None:
    tenant = world.tenant()
    said: list[Done] = []
    for _ in range(2):
        with world.command(*options(tenant.slug)) as running:
            running.give(world.code())
            page = new_page()
            page.goto(running.link())
            if said:
                tenant.bench.rotate()
            say_saved(page)
            if said:
                expect(page.locator("#lines")).to_contain_text("The key was rotated meanwhile")
            told = json.loads(running.end()[1])
        said.append(told)
    first, second = said
    assert second["connected_since"] == first["confirmed_at"] < second["confirmed_at"]  # type: ignore[index]
    assert second["state"] == "due"  # type: ignore[index]


def test_of_two_people_at_once_the_first_confirmation_stays_known(
    world: World, new_page: NewPage, tmp_path: Path
) -> None:
    tenant = world.tenant()
    with world.command(*options(tenant.slug)) as slower:
        slower.give(world.code())
        page = new_page()
        page.goto(slower.link())
        # Another machine: on one a second run is refused while the first goes on.
        with world.command(*options(tenant.slug), MYFLUX_STATE=str(tmp_path)) as faster:
            faster.give(world.code())
            other = new_page()
            other.goto(faster.link())
            say_saved(other)
            first = json.loads(faster.end()[1])
        world.cell.advance(60)
        say_saved(page)
        second = json.loads(slower.end()[1])
    assert first["connected_since"] == first["confirmed_at"] == second["connected_since"] < second["confirmed_at"]


def test_who_deploys_as_another_reads_as_their_own_user_and_records_as_who_deploys(
    world: World, new_page: NewPage
) -> None:
    """In a bootstrapped cell people deploy as a role, which may become no other role."""
    tenant = world.tenant()
    files = {"AWS_SHARED_CREDENTIALS_FILE": str(world.folder / "people")}
    with world.person("ana") as code, world.command(*options(tenant.slug), "--user-profile", "ana", **files) as running:
        running.give(code())
        page = new_page()
        page.goto(running.link())
        say_saved(page)
        assert running.end()[0] == 0
    record = world.record(tenant.slug)
    assert record is not None
    assert record.by == "ana"
    (read,) = world.reads(tenant.slug)
    assert read["userIdentity"]["arn"].endswith(":assumed-role/myflux-local-handover/ana")


def test_a_profile_that_does_not_exist_is_named_before_anything_is_read(world: World, tenant: Pasted) -> None:
    with world.command(*options(tenant.slug), "--user-profile", "nobody") as running:
        out, said = running.process.communicate(timeout=60)
    assert (running.process.returncode, out) == (1, "")
    assert "--user-profile nobody" in said


# --- ends without a record -------------------------------------------------------------------------------------------


def stop_by(number: signal.Signals) -> Callable[[Page, Running], object]:
    return lambda _, running: running.process.send_signal(number)


WAYS: dict[str, tuple[Callable[[Page, Running], object], int, str, str]] = {
    "not now": (lambda page, _: page.get_by_role("button", name="Not now").click(), 1, "later", "as you said"),
    "Ctrl-C": (stop_by(signal.SIGINT), 130, "stopped", "stopped"),
    "a terminal that is closed": (stop_by(signal.SIGHUP), 130, "stopped", "stopped"),
    "kill": (stop_by(signal.SIGTERM), 130, "stopped", "stopped"),
}


@pytest.mark.parametrize("way", WAYS)
def test_who_does_not_confirm_is_told_that_it_is_still_due(
    world: World, tenant: Pasted, new_page: NewPage, way: str
) -> None:
    act, expected, end, said = WAYS[way]
    with world.command(*options(tenant.slug)) as running:
        running.give(world.code())
        page = new_page()
        page.goto(running.link())
        expect(page.get_by_role("button", name="Copy the key")).to_be_visible()
        act(page, running)
        code, out = running.end()

    told = json.loads(out)
    assert (code, told["end"], told["recorded"], told["state"]) == (expected, end, False, "due")
    assert said in running.said
    assert f"myflux-keys handover {tenant.slug} --consumer cinnox" in running.said
    assert world.record(tenant.slug) is None
    entry = world.journal()[-1]
    assert (entry["done"], entry["entries"][tenant.slug]["outcome"]) == (["read"], "failed")


# --- the key is nowhere ----------------------------------------------------------------------------------------------


def without_the_keys_own_answer(recorded: Path) -> bytes:
    """The archive without the one answer that carries the key: nowhere else may it be."""
    log: Any = json.loads(recorded.read_text(encoding="utf-8"))
    carried = 0
    for entry in log["log"]["entries"]:
        if entry["request"]["url"].endswith("/key"):
            carried += 1
            del entry["response"]["content"]
    assert carried == 1, "the test must have seen the key on its way"
    return json.dumps(log).encode()


def test_the_key_stays_nowhere(world: World, chromium: Browser, tmp_path: Path) -> None:
    """The browser's profile on disk, a HAR archive, what the command writes, its records, arguments and environment."""
    tenant, har = world.tenant(), tmp_path / "all.har"
    prove_search(tmp_path)
    everything: list[Text] = []
    with world.command(*options(tenant.slug)) as running:
        running.give(world.code())
        link = running.link()
        with recorded(chromium, tmp_path / "profile", har) as context:
            page = context.new_page()
            context.grant_permissions(["clipboard-read", "clipboard-write"], origin=link.partition("/#")[0])
            page.goto(link)
            page.get_by_role("button", name="Copy the key").click()
            expect(page.locator("#copy-note")).to_contain_text("Copied:")
            assert page.evaluate("navigator.clipboard.readText()") == tenant.current.value
            everything += [Text("page", page.content().encode())]
            everything += [Text("arguments and environment", one) for one in running.seen()]
            if sys.platform == "linux":
                assert running.limit_of_core_files() == "0"
            say_saved(page)
            stored = "JSON.stringify([{...localStorage}, {...sessionStorage}, history.state, document.cookie])"
            assert json.loads(page.evaluate(stored)) == [{}, {}, None, ""]
            code, out = running.end()
            expect(page.locator("#clipboard-note")).to_have_text("The clipboard was cleared.")
            everything += [Text("page at the end", page.content().encode())]

    assert code == 0
    profile = [file for file in (tmp_path / "profile").rglob("*") if file.is_file()]
    assert len(profile) > 10, "a profile was written"
    everything += [Text("HAR", without_the_keys_own_answer(har))]
    everything += [Text("output", out.encode()), Text("errors", running.said.encode())]
    everything += [*files(profile), *files(sorted(world.state.rglob("*"))), *files(sorted(world.folder.glob("*.log")))]
    assert not list(search(everything, {tenant.current.id: tenant.current.value}))


# --- what is refused before anything is read --------------------------------------------------------------------------


@pytest.fixture
def refusal(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The message of a hand-over that must be refused, for a person with the credentials of `user`."""

    def run(slug: str, consumer: str = "cinnox", *, user: str = "deployer", code: str = "", serial: str = "") -> str:
        for name, value in world.environment(user).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(run_handover, "keep_memory_private", lambda: None)
        said: list[str] = []
        talk = Talk(said.append, lambda _: code or world.code(), lambda link: pytest.fail(f"a page was served: {link}"))
        before = len(world.reads(slug))
        with pytest.raises(OperationError) as error:
            run_handover.run(world.fleet, Asked(slug, consumer, serial or None), talk)
        assert len(world.reads(slug)) == before, "nothing was read"
        return str(error.value)

    return run


FILES: dict[str, tuple[dict[str, str], str]] = {
    "does not use CINNOX": ({"consumers": "{myflux: true}"}, "does not use cinnox"),
    "is disabled": ({"enabled": "false"}, "is disabled, so nobody may read its key: `myflux-keys enable"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_tenant_whose_file_speaks_against_it(
    world: World, tenant: Pasted, refusal: Callable[..., str], case: str
) -> None:
    changes, said = FILES[case]
    world.file(tenant.slug, **changes)
    try:
        assert said in refusal(tenant.slug)
    finally:
        world.file(tenant.slug)


def test_a_tenant_and_a_consumer_that_do_not_exist(tenant: Pasted, refusal: Callable[..., str]) -> None:
    assert f"Did you mean {tenant.slug}?" in refusal(f"{tenant.slug}0")
    assert "`zendesk` is no consumer that a person serves: --consumer is cinnox" in refusal(tenant.slug, "zendesk")
    assert "`myflux` is no consumer that a person serves" in refusal(tenant.slug, "myflux")


def test_a_cell_without_a_hand_over_role(world: World, tenant: Pasted, refusal: Callable[..., str]) -> None:
    lines = [line for line in world.local_yaml.splitlines() if not line.startswith("handover:")]
    world.cell_file("\n".join(lines))
    try:
        assert "its file has no `handover`. Write `handover: {principals:" in refusal(tenant.slug)
    finally:
        world.cell_file(world.local_yaml)


def test_a_person_whom_the_cell_does_not_name(tenant: Pasted, refusal: Callable[..., str]) -> None:
    said = refusal(tenant.slug, user="ci")
    assert "you are arn:aws:iam::000000000000:user/ci" in said
    assert "are handed over by arn:aws:iam::000000000000:user/deployer" in said


def test_a_tenant_without_a_secret_or_a_key(world: World, refusal: Callable[..., str]) -> None:
    world.file("nobody")
    assert "nobody: it has no secret: `myflux-keys up nobody`" in refusal("nobody")
    names = world.names.tenant("nobody")
    tags = [{"Key": name, "Value": value} for name, value in names.tags.items()]
    world.bench.secrets.create_secret(Name=names.secret, Tags=tags)
    assert "nobody has no key yet: `myflux-keys up nobody`" in refusal("nobody")


def test_a_tenant_whose_consumers_are_not_deployed_yet(world: World, refusal: Callable[..., str]) -> None:
    plain = world.bench.tenant("myflux")
    world.file(plain.slug)
    assert f"but what is deployed does not: `myflux-keys up {plain.slug}`" in refusal(plain.slug)


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a", "\u0661\u0662\u0663\u0664\u0665\u0666", " "])
def test_what_is_no_mfa_code_is_not_sent(tenant: Pasted, refusal: Callable[..., str], code: str) -> None:
    assert "an MFA code has six digits" in refusal(tenant.slug, code=code)


def test_a_wrong_code_and_another_device(world: World, tenant: Pasted, refusal: Callable[..., str]) -> None:
    right = world.code()
    wrong = f"{(int(right) + 1) % 10**6:06}"
    assert "AWS refuses the MFA code" in refusal(tenant.slug, code=wrong)
    said = refusal(tenant.slug, serial="arn:aws:iam::000000000000:mfa/somebody-else")
    assert "verify your MFA serial number" in said


def test_a_person_without_a_device_and_with_two(world: World, tenant: Pasted, refusal: Callable[..., str]) -> None:
    mine = world.cell.second_factor()[0]
    world.iam.deactivate_mfa_device(UserName="deployer", SerialNumber=mine)
    try:
        assert "you have no MFA device that gives codes" in refusal(tenant.slug)
    finally:
        world.enable(mine)
    other = world.add_device("tablet")
    try:
        said = refusal(tenant.slug)
        assert "you have 2 MFA devices: give one with --mfa-serial" in said
        assert mine in said
        assert other in said
    finally:
        world.iam.deactivate_mfa_device(UserName="deployer", SerialNumber=other)


def test_a_code_that_was_used(world: World, tenant: Pasted, refusal: Callable[..., str]) -> None:
    code = world.code()
    with world.command(*options(tenant.slug)) as running:
        running.give(code)
        running.link()
        running.process.send_signal(signal.SIGINT)
        running.end()
    assert "A code works once: wait for the next one" in refusal(tenant.slug, code=code)


def test_a_role_that_is_not_deployed_yet(world: World, tenant: Pasted, refusal: Callable[..., str]) -> None:
    name = world.names.handover_role
    kept = world.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    nobody = json.loads(json.dumps(kept).replace("user/deployer", "user/administrator"))
    world.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(nobody))
    try:
        said = refusal(tenant.slug)
        assert "AWS refuses the role myflux-local-handover" in said
        assert "it is not deployed: `myflux-keys up --cell local`" in said
    finally:
        world.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(kept))


def test_a_secret_whose_policy_is_older_than_the_role(world: World, refusal: Callable[..., str]) -> None:
    tenant = world.tenant()
    policy = world.policy(tenant.slug, handed_over=False)
    world.bench.secrets.put_resource_policy(SecretId=tenant.bench.arn, ResourcePolicy=policy)
    assert f"`myflux-keys up {tenant.slug}`. No key was read." in refusal(tenant.slug)
    assert world.journal()[-1]["done"] == []


def test_a_damaged_record_is_told_before_the_key_is_read(world: World, refusal: Callable[..., str]) -> None:
    tenant = world.tenant()
    name = object_name(tenant.slug, "cinnox")
    world.bench.s3.put_object(Bucket=world.names.health_bucket, Key=name, Body=b"{}")
    said = refusal(tenant.slug)
    assert f"{name} is damaged" in said
    assert "Delete it, and run the command again" in said
