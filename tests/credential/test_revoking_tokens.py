"""A leak at a tenant without a key: what was stolen is worth nothing, and its own processes go on by themselves."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from myflux_keys import KeyReader, KeyReaderError
from myflux_keys.identity import ALGORITHM, TOKEN_SECONDS
from tests.credential.conftest import Switching
from tests.keyless.deployed import MODEL
from tests.kills.switching import rule_ids

pytestmark = [pytest.mark.engine, pytest.mark.cell]


class Stolen:
    """Credentials of a session of the runtime role that is tagged with a tenant."""

    def __init__(self, sts: Any, audience: str) -> None:
        self.sts = sts
        self.audience = audience

    def signed(self) -> str:
        """AWS's token. Raises ClientError."""
        return self.sts.get_web_identity_token(
            Audience=[self.audience], DurationSeconds=TOKEN_SECONDS, SigningAlgorithm=ALGORITHM
        )["WebIdentityToken"]

    def is_denied(self) -> bool:
        try:
            self.signed()
        except ClientError as error:
            return error.response.get("Error", {}).get("Code") == "AccessDenied"
        return False


@contextmanager
def stolen(here: Switching, slug: str) -> Generator[Stolen]:
    runtime = here.cell.client("runtime", "sts")
    held = runtime.assume_role(
        RoleArn=here.names.runtime_role_arn, RoleSessionName="stolen", Tags=[{"Key": "tenant", "Value": slug}]
    )["Credentials"]
    runtime.close()
    sts: Any = boto3.client(
        "sts",
        region_name=here.cell.region,
        endpoint_url=here.cell.aws_url,
        aws_access_key_id=held["AccessKeyId"],
        aws_secret_access_key=held["SecretAccessKey"],
        aws_session_token=held["SessionToken"],
    )
    yield Stolen(sts, here.names.identity_audience)
    sts.close()


def test_stolen_sessions_get_no_token_and_the_tenants_own_processes_go_on(here: Switching) -> None:
    slug = "lagoon"
    here.keyless(slug)
    before, rule = here.file(slug).read_text(encoding="utf-8"), rule_ids(here, slug)
    with (
        stolen(here, slug) as thief,
        stolen(here, "acme") as another,
        KeyReader("local", session=here.cell.session("runtime"), ttl=1.0) as reader,
        reader.openai_client(slug) as own,
    ):
        assert own.responses.create(model=MODEL, input="Hello").model
        asked = here.command("revoke", slug)
        assert (asked.returncode, "15 minutes more" in asked.stderr) == (2, True), "silence is not consent"
        assert rule_ids(here, slug) == rule
        assert thief.signed(), "nothing was changed"
        records = {path: path.read_bytes() for path in here.state.rglob("*") if path.is_file()}
        looked = here.told("revoke", slug, "--dry-run")
        assert (looked["valid"]["rules"], looked["continues"]) == (rule, None)
        assert rule[0] in looked["plan"][1]
        assert {path: path.read_bytes() for path in here.state.rglob("*") if path.is_file()} == records
        assert (rule_ids(here, slug), here.denied_sessions().get(slug)) == (rule, None)
        assert here.file(slug).read_text(encoding="utf-8") == before
        assert thief.signed(), "nor by a dry run"

        told = here.told("revoke", slug, "--yes", "--reason", "a laptop was stolen")
        assert told["steps"] == ["sessions", "rule", "open"]
        assert [told["rule_id"]] == rule_ids(here, slug) != rule
        assert thief.is_denied()
        assert another.signed(), "another tenant's session is none of this"
        assert here.file(slug).read_text(encoding="utf-8") == before, "nothing is left to commit"
        with pytest.raises(KeyReaderError):
            reader.get(slug, fresh=True)
        assert own.responses.create(model=MODEL, input="Hello").model, "its process has a new session by itself"
    with stolen(here, slug) as later:
        assert later.signed(), "the denial is of sessions from before alone"

    platform = here.told("preview", "--cell", "local", "--refresh")["stacks"]["local"]
    assert set(platform["changes"]) == {"same"}, "the denial is no drift of the platform"


def test_stopped_once_the_sessions_are_denied_enable_lets_new_ones_in_and_verify_says_what_to_do(
    here: Switching,
) -> None:
    slug = "delta"
    here.keyless(slug)
    with stolen(here, slug) as thief:
        told = here.struck("invocations", "revoke", slug, "--yes", earlier=1)
        assert "Stopped" in told
        assert thief.is_denied()
        with stolen(here, slug) as later:
            assert later.is_denied(), "the rule is still there, so no new session may have a token"
        looked = here.told("revoke", slug, "--dry-run")
        assert (looked["continues"]["done"], looked["continues"]["next"]) == (["sessions"], "sessions")
        assert looked["plan"][0].startswith("leave every session of its runtime denied")
        found = {one["step"]: one for one in here.asked("verify", slug)["steps"]}
        assert (found["sessions"]["state"], found["sessions"]["mend"]) == ("wrong", f"myflux-keys revoke {slug}")
        shown = status_of(here, slug)
        assert shown["state"] == "sessions denied"
        assert f"myflux-keys revoke {slug}" in [one["command"] for one in shown["troubles"]]
        here.told("enable", slug)
        assert thief.is_denied()
    with stolen(here, slug) as later:
        assert later.signed()
    found = {one["step"]: one for one in here.asked("verify", slug)["steps"]}
    assert {found[step]["state"] for step in ("sessions", "secret")} == {"ok"}
    assert "sessions denied" not in status_of(here, slug)["state"]


def status_of(here: Switching, slug: str) -> dict[str, Any]:
    (cell,) = here.asked("status", slug)["fleet"]["cells"]
    (tenant,) = cell["tenants"]
    return tenant


def test_a_tenant_without_a_key_leaves_and_nothing_of_it_is_left_at_openai(here: Switching) -> None:
    slug = "estuary"
    here.keyless(slug)
    project = here.openai_project(slug).id
    with stolen(here, slug) as thief:
        told = here.struck("invocations", "offboard", slug, "--yes", earlier=1)
        assert "Stopped" in told
        assert thief.is_denied(), "a run that is stopped leaves no access"
        assert rule_ids(here, slug)
        ended = here.told("offboard", slug, "--yes", "--reason", "contract ended")
        assert ended["steps"] == ["deny", "stop", "kill", "destroy", "archive"]
    assert "OpenAI has no federation rule of it" in here.said[-1]
    assert rule_ids(here, slug) == []
    assert here.archived(slug) == [True]
    assert here.accounts(project) == []
    assert here.live_keys(slug) == []
    assert f"{slug}.local" not in here.stacks()
    assert here.denied_sessions().get(slug) is None, "nothing of it is left in IAM"
