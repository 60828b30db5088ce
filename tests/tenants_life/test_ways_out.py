"""Every command that a message names is typed in the very state in which it is named, and mends it.

Each state is made as a person makes it in AWS's console: by a call of AWS's, past the program and its state.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import openai
import pytest

from tests.tenants_life.conftest import Life, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.cell]

NAMED = re.compile(r"`((?:myflux-keys|pulumi|aws) [^`]+)`")


@contextmanager
def console(life: Life, service: str = "secretsmanager", user: str = "deployer") -> Generator[Any]:
    client = life.cell.client(user, service)
    try:
        yield client
    finally:
        client.close()


def named(said: str) -> list[str]:
    """The commands that a message names, as they are typed."""
    return list(dict.fromkeys(" ".join(found.split()) for found in NAMED.findall(said)))


def typed(life: Life, command: str, *more: str) -> str:
    """Types `command`; what it said. AWS's own command line is played by the calls that it makes."""
    tool, *arguments = [*shlex.split(command), *more]
    if tool == "myflux-keys":
        done = life.command(*arguments)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr
    if tool == "pulumi":
        return life.pulumi(*arguments, "--yes", "--skip-preview")
    service, call, *options = arguments
    request: dict[str, Any] = {}
    for option in options:
        if option.startswith("--"):
            name = "".join(part.title() for part in option[2:].split("-"))
            request[name] = True
        else:
            request[list(request)[-1]] = option
    with console(life, service) as client:
        getattr(client, call.replace("-", "_"))(**request)
    return ""


def delete(life: Life, slug: str) -> None:
    with console(life) as secrets:
        secrets.delete_secret(SecretId=life.tenant(slug).secret, RecoveryWindowInDays=7)


def settled_and_whole(life: Life, slug: str) -> None:
    """The next `up` finds nothing to do, and a refresh no drift."""
    life.settled(slug)
    again = life.told("up", slug, "--no-marks")["stacks"][f"{slug}.local"]
    assert set(again["changes"]) == {"same"}, again
    assert "found" not in again
    tags = {tag["Key"]: tag["Value"] for tag in life.secret(slug)["Tags"]}
    assert tags["tenant"] == slug


def test_a_rotation_that_was_switched_off_is_found_by_up_and_turned_on_with_a_new_key(life: Life) -> None:
    slug = "switched-off"
    life.new(slug)
    before = life.key_id(slug)
    with console(life) as secrets:
        secrets.cancel_rotate_secret(SecretId=life.tenant(slug).secret)

    life.up(f"{slug}.local")
    assert not life.secret(slug).get("RotationEnabled"), (
        "plain `pulumi up` compares with the state alone, and sees nothing"
    )
    planned = life.told("preview", slug)["stacks"][f"{slug}.local"]
    assert "rotation is off" in planned["found"][0]
    assert planned["changes"]["update"], "a preview says what `up` will do"
    assert not life.secret(slug).get("RotationEnabled")

    for command in (("rotate", slug), ("revoke", slug, "--yes")):
        (way_out,) = named(life.refused(*command))
        assert way_out == f"myflux-keys up {slug}"
    said = typed(life, way_out)
    assert "its rotation is off" in said

    assert life.secret(slug)["RotationEnabled"]
    wait_until(lambda: life.key_id(slug) != before, "the new key")
    settled_and_whole(life, slug)
    life.told("rotate", slug, "--wait", "--yes")


def test_changed_tags_and_a_policy_that_was_taken_away_are_found_by_up_and_put_right(life: Life) -> None:
    """Under ABAC the tag says who reads: until then the secret is another tenant's."""
    slug = "retagged"
    life.new(slug)
    before, secret = life.key_id(slug), life.tenant(slug).secret
    with console(life) as secrets:
        secrets.delete_resource_policy(SecretId=secret)
        secrets.tag_resource(SecretId=secret, Tags=[{"Key": "tenant", "Value": "somebody"}])
        secrets.untag_resource(SecretId=secret, TagKeys=["myflux:models"])
    (way_out,) = named(life.refused("disable", slug))
    assert way_out == f"myflux-keys up {slug}"
    said = typed(life, way_out)
    for told in ("its tag tenant is somebody", "its tag myflux:models is missing", "its resource policy is missing"):
        assert told in said
    assert life.key_id(slug) == before, "readers are served again, and no key was made"
    with console(life) as secrets:
        policy = secrets.get_resource_policy(SecretId=secret)["ResourcePolicy"]
    assert "OnlyRuntimeAndFunctionsRead" in policy
    settled_and_whole(life, slug)


def test_a_deleted_secret_is_taken_back_with_its_key_by_the_command_that_up_names(life: Life) -> None:
    slug = "deleted"
    life.new(slug)
    before = life.key_id(slug)
    delete(life, slug)
    said = life.refused("up", slug)
    assert "deletion is scheduled for 2" in said
    assert "Nothing was changed" in said
    assert "InvalidRequestException" not in said
    assert named(said) == [f"myflux-keys adopt {slug}", f"myflux-keys new SLUG --from {slug}"]
    for command in (("rotate", slug), ("revoke", slug, "--yes"), ("disable", slug), ("preview", slug)):
        assert named(life.refused(*command))[0] == f"myflux-keys adopt {slug}", command

    typed(life, f"myflux-keys adopt {slug}", "--yes")

    assert life.key_id(slug) == before, "the key lived, so it stays"
    assert life.live_keys(slug) == [before]
    settled_and_whole(life, slug)


def test_a_deleted_secret_that_a_refresh_took_out_of_the_state_is_taken_back_all_the_same(life: Life) -> None:
    """The nightly look for drift does so."""
    slug = "forgotten"
    life.new(slug)
    before = life.key_id(slug)
    delete(life, slug)
    assert named(life.refused("refresh", slug))[0] == f"myflux-keys adopt {slug}"
    state = life.pulumi("stack", "export", "--stack", f"{slug}.local")
    assert f"::{slug}-key-secret" not in [r["urn"] for r in json.loads(state)["deployment"]["resources"]]
    with pytest.raises(AssertionError, match="scheduled for deletion"):
        # What plain `pulumi` says are AWS's own words, which the runbook explains.
        life.up(f"{slug}.local")
    way_out = named(life.refused("up", slug))[0]
    typed(life, way_out, "--yes")
    assert life.key_id(slug) == before
    settled_and_whole(life, slug)


def test_a_secret_that_is_gone_is_made_again_with_a_new_key(life: Life) -> None:
    slug = "vanished"
    life.new(slug)
    before = life.key_id(slug)
    with console(life) as secrets:
        secrets.delete_secret(SecretId=life.tenant(slug).secret, ForceDeleteWithoutRecovery=True)
    for command in (("rotate", slug), ("disable", slug)):
        (way_out,) = named(life.refused(*command))
        assert way_out == f"myflux-keys up {slug}"
    said = typed(life, way_out)
    assert "it does not exist" in said
    life.settled(slug)
    assert life.key_id(slug) != before
    settled_and_whole(life, slug)


def test_a_secret_that_the_state_does_not_know_is_named_in_words_and_adopted(life: Life) -> None:
    slug = "unknown"
    life.new(slug)
    before = life.key_id(slug)
    life.pulumi("state", "delete", "--stack", f"{slug}.local", "--yes", "--target-dependents", _urn(life, slug))
    said = life.refused("up", slug)
    assert "is not in the state of stack" in said
    (way_out,) = named(said)
    typed(life, way_out, "--yes")
    assert life.key_id(slug) == before
    settled_and_whole(life, slug)


def _urn(life: Life, slug: str) -> str:
    state = json.loads(life.pulumi("stack", "export", "--stack", f"{slug}.local"))
    (urn,) = [r["urn"] for r in state["deployment"]["resources"] if r["urn"].endswith(f"::{slug}-key-secret")]
    return urn


def test_an_empty_secret_that_the_state_does_not_know_is_adopted_and_gets_its_first_key(life: Life) -> None:
    slug = "by-hand"
    life.told("new", slug, "--from", "acme", "--name", "By hand")
    with console(life) as secrets:
        secrets.create_secret(Name=life.tenant(slug).secret)
    (way_out,) = named(life.refused("up", slug))
    assert way_out == f"myflux-keys adopt {slug}"
    typed(life, way_out, "--yes")
    life.settled(slug)
    assert life.live_keys(slug) == [life.key_id(slug)]
    settled_and_whole(life, slug)


def test_a_destroyed_tenants_slug_is_used_up_and_another_is_named(life: Life) -> None:
    """OpenAI never brings an archived project back, so what `destroy` archived can't be made again."""
    slug = "returning"
    life.new(slug)
    life.told("destroy", slug, "--yes")
    said = life.refused("up", slug)
    assert "deletion is scheduled" in said
    adopt, another = named(said)
    refused = life.refused(*adopt.split()[1:], "--yes")
    assert "is archived" in refused
    assert "DeletedDate" in life.secret(slug), "what cannot be adopted is left as it was found"
    (way_out,) = named(refused)
    assert way_out == another
    typed(life, way_out.replace("SLUG", "returned"), "--name", "Returned")
    typed(life, "myflux-keys up returned")
    life.settled("returned")
    assert len(life.live_keys("returned")) == 1


def test_a_key_that_died_meanwhile_is_replaced_when_its_secret_is_taken_back(life: Life) -> None:
    slug = "key-dead"
    life.new(slug)
    before = life.key_id(slug)
    (project,) = [found.id for found in life.cell.openai.projects() if found.name == life.tenant(slug).project]
    with openai.OpenAI(admin_api_key=life.cell.openai.create_admin_key(), base_url=life.cell.openai_url) as client:
        client.admin.organization.projects.api_keys.delete(before, project_id=project)
    delete(life, slug)
    way_out = named(life.refused("up", slug))[0]
    done = typed(life, way_out, "--yes")
    assert "revoked or expired" in done
    assert "A new key was requested" in done
    wait_until(lambda: len(life.live_keys(slug)) == 1, "the new key")
    life.settled(slug)
    assert life.key_id(slug) != before
    settled_and_whole(life, slug)


def test_a_destroyed_customers_tenant_comes_back_with_the_customers_key(life: Life) -> None:
    slug = "customer-back"
    key = _customers(life, slug)
    life.told("destroy", slug, "--yes")
    assert "deletion is scheduled" in life.given(key, "key", "set", slug, fails=True)
    (way_out,) = named(life.refused("up", slug))
    typed(life, way_out, "--yes")
    with life.reading() as reader:
        assert reader.get(slug).api_key.reveal() == key
    again = life.told("up", slug, "--no-marks")["stacks"][f"{slug}.local"]
    assert set(again["changes"]) == {"same"}, again


def _customers(life: Life, slug: str) -> str:
    """A tenant with a customer's own key, deployed; the key."""
    life.told("new", slug, "--from", "initech", "--name", slug)
    life.up(f"{slug}.local")
    admin = life.cell.openai.create_admin_key("the customer's own", expires_in_seconds=3600)
    with openai.OpenAI(admin_api_key=admin, base_url=life.cell.openai_url, max_retries=0) as client:
        project = client.admin.organization.projects.create(name=f"the customer's of {slug}").id
    key = life.cell.openai.create_user_key(project, "the customer's", expires_in_seconds=3600)
    life.given(key, "key", "set", slug)
    return key


def test_a_function_that_was_deleted_is_made_again_by_the_command_that_up_names(life: Life) -> None:
    slug, function = "no-function", "myflux-other-provisioner"
    life.told("new", slug, "--from", "acme", "--name", slug, "--cell", "other")
    with console(life, "lambda", "administrator") as functions:
        functions.delete_function(FunctionName=function)
    said = life.refused("up", slug)
    (way_out,) = named(said)
    assert way_out == "pulumi up --refresh --stack other"
    assert function in said
    typed(life, way_out)
    life.told("up", slug)


def test_a_dedicated_tenants_secret_is_restored_by_the_commands_that_up_names(life: Life) -> None:
    """`adopt` does not take it: its KMS key and role would have to be there too."""
    slug = "dedicated-back"
    life.told("new", slug, "--from", "globex", "--name", slug)
    life.up(f"{slug}.local")
    life.settled(slug)
    delete(life, slug)
    restore, up = named(life.refused("up", slug))
    assert "restore-secret" in restore
    typed(life, restore)
    typed(life, up)
    settled_and_whole(life, slug)

    life.told("destroy", slug, "--yes")
    assert named(life.refused("up", slug)) == [f"myflux-keys new SLUG --from {slug}"], "destroyed is archived"
