"""A rehearsal says what the files ask for: the same resources that the real engine registers, with AWS's shapes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pulumi
import pytest
from pulumi.output import Unknown

import program
from myflux_keys.aws_names import CellNames
from ops.review import answers
from ops.review.answers import NoAnswerError, answer
from ops.review.rehearsal import Registered, rehearse
from tenancy import Tenant

NAMES = CellNames("local", "000000000000", "us-east-1")


def one(registered: list[Registered], type_: str) -> Registered:
    (found,) = [resource for resource in registered if resource.type == type_]
    return found


def test_a_tenants_stack_refers_to_what_aws_will_have_made() -> None:
    acme = list(rehearse("acme.local"))
    secret = one(acme, "aws:secretsmanager/secret:Secret")
    rotation = one(acme, "aws:secretsmanager/secretRotation:SecretRotation")
    assert secret.outputs["arn"].startswith(
        "arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux/local/acme/openai-"
    )
    assert rotation.inputs["secretId"] == secret.outputs["arn"]
    assert secret.urn in rotation.property_dependencies["secretId"]
    project = json.loads(one(acme, "aws:lambda/invocation:Invocation").outputs["result"])
    assert secret.inputs["tags"]["myflux:project-id"] == project["project_id"]


def test_before_deployment_ids_and_arns_are_unknown_and_what_the_files_say_is_known() -> None:
    acme = list(rehearse("acme.local", deployed=False))
    secret = one(acme, "aws:secretsmanager/secret:Secret")
    assert isinstance(one(acme, "aws:secretsmanager/secretPolicy:SecretPolicy").inputs["secretArn"], Unknown)
    assert (secret.id, secret.inputs["name"]) == ("", "myflux/local/acme/openai")


def test_what_components_and_the_stack_say_of_themselves_is_recorded() -> None:
    acme = list(rehearse("acme.local"))
    secret = one(acme, "aws:secretsmanager/secret:Secret")
    project = json.loads(one(acme, "aws:lambda/invocation:Invocation").outputs["result"])
    assert one(acme, "pulumi:pulumi:Stack").outputs == {
        "secret_arn": secret.outputs["arn"],
        "reader_role_arn": NAMES.runtime_role_arn,
        "project_id": project["project_id"],
    }
    assert one(acme, "myflux:index:EmptySecret").outputs == {"arn": secret.outputs["arn"]}
    unknown = one(list(rehearse("acme.local", deployed=False)), "pulumi:pulumi:Stack").outputs["secret_arn"]
    assert isinstance(unknown, Unknown)


def test_what_the_engine_leaves_as_it_is_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {part for made in rehearse("acme.local") for part in made.ignore_changes} == set()
    arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:myflux/local/acme/openai-a1B2c3"
    monkeypatch.setattr(program, "deploy", partial(program.deploy, adopt=arn))
    adopted = one(list(rehearse("acme.local")), "aws:secretsmanager/secret:Secret")
    assert "kmsKeyId" in adopted.ignore_changes


@pytest.mark.parametrize("slug", ["acme", "globex", "initech"])
def test_a_tenants_name_is_read_where_its_description_says(slug: str, tmp_path: Path) -> None:
    """Commands that ask or show, a review, a link, and the declaration: it can be changed at any time."""
    for folder in ("cells", "tenants"):
        shutil.copytree(program.ROOT / folder, tmp_path / folder)
    file = tmp_path / "tenants" / f"{slug}.yaml"
    file.write_text(re.sub(r"(?m)^name: .*$", "name: Somebody Else", file.read_text("utf-8")), encoding="utf-8")
    before, after = (
        [(one.urn, repr(one.inputs)) for one in rehearse(f"{slug}.local", root)] for root in (program.ROOT, tmp_path)
    )
    changed = [urn.rpartition("::")[2] for (urn, _), other in zip(before, after, strict=True) if (urn, _) != other]
    assert changed == [f"{slug}-declaration"]
    readers = {
        path.stem
        for path in (program.ROOT / "ops").rglob("*.py")
        if re.search(r"\btenant\.name\b", path.read_text("utf-8"))
    }
    described = Tenant.model_fields["name"].description or ""
    asking, naming = {"key", "offboard", "credential"}, {"tenant_view", "verify", "connect_links", "run_handover"}
    assert readers == asking | naming | {"tenant_files"}
    assert "`key set`, `offboard` and `credential` show it when they ask, `check` in its report" in described
    assert "health's messages, `status`, `verify`, `handover` and the connect page name it" in described


def test_two_rehearsals_say_the_same(tmp_path: Path) -> None:
    def told() -> list[tuple[str, str, str]]:
        return [(found.urn, found.id, repr(found.inputs)) for found in rehearse("globex.local")]

    assert told() == told(), "a report that changes by itself cannot be compared with the one before"


def test_the_first_rehearsal_of_a_process_names_the_stack_as_every_other_does() -> None:
    """The base and the branch are rehearsed in processes of their own, and compared by URN."""
    asked = "from ops.review.rehearsal import rehearse; print([one.urn for one in rehearse('local')][0])"
    first = subprocess.run([sys.executable, "-c", asked], cwd=program.ROOT, capture_output=True, text=True, check=True)
    assert first.stdout.startswith("urn:pulumi:local::myflux-keys::")


def test_a_resource_that_is_a_propertys_value_is_told_by_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the engine shows it to a pack."""

    def deploys(_: Path, **_more: object) -> None:
        topic = pulumi.CustomResource("aws:sns/topic:Topic", "topic", {"name": "a"})
        pulumi.CustomResource("aws:sqs/queue:Queue", "queue", {"name": "b", "tags": {"topic": topic}})

    monkeypatch.setattr(program, "deploy", deploys)
    queue = one(list(rehearse("local")), "aws:sqs/queue:Queue")
    assert queue.inputs["tags"] == {"topic": "arn:aws:sns:us-east-1:000000000000:a"}


def test_a_stack_that_the_files_do_not_hold_is_refused_in_the_programs_words() -> None:
    with pytest.raises(program.StackError, match="no tenant `nobody`"):
        rehearse("nobody.local")


def test_a_program_that_is_refused_while_it_runs_is_refused_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """By then its resources' futures hold the refusal, each of them. `nothing_left_by_the_test` looks for them."""
    other = replace(NAMES, cell="other")
    monkeypatch.setattr(answers, "platform", lambda names, real=answers.platform: real(other))
    with pytest.raises(program.StackError, match="its file requires"):
        rehearse("acme.local")


def test_an_unknown_kind_of_resource_is_not_answered_by_guessing() -> None:
    with pytest.raises(NoAnswerError, match="aws:rds/instance:Instance"):
        answer(NAMES, "aws:rds/instance:Instance", "b", {"name": "b"})
