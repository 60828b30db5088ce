"""What the live version holds, told by ids and words: the value stays where it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sweep.conftest import Bench, TenantBench

pytestmark = pytest.mark.cell


def inspect(bench: Bench, slug: str) -> dict[str, Any]:
    answer = bench.invoke(bench.names.sweep_function, {"action": "inspect", "tenant": slug})
    shown = json.dumps(answer)
    assert not [key.id for key in bench.control.minted() if key.value in shown], "a value was told"
    return answer


def store(tenant: TenantBench, value: str) -> None:
    tenant.bench.client("administrator", "secretsmanager").put_secret_value(SecretId=tenant.arn, SecretString=value)


def test_a_managed_tenants_payload_is_told_by_ids_and_openais_word(bench: Bench) -> None:
    tenant = bench.tenant()
    (key,) = tenant.live()
    bench.control.clear_calls()
    answer = inspect(bench, tenant.slug)
    held = tenant.held("AWSCURRENT")
    assert answer == {
        "tenant": tenant.slug,
        "version_id": next(v for v, labels in tenant.stages().items() if "AWSCURRENT" in labels),
        "problem": None,
        "source": "managed",
        "key_id": key,
        "project_id": tenant.ids["project_id"],
        "service_account_id": tenant.ids["service_account_id"],
        "expires_at": held["expires_at"],
        "proof": "accepted",
        "project": bench.names.tenant(tenant.slug).project,
        "service_account": "myflux-runtime",
        "listed": True,
    }
    assert {call.method for call in bench.control.calls()} == {"GET"}, "a look changes nothing"


def test_a_dead_key_and_a_project_that_is_not_there_are_told(bench: Bench) -> None:
    tenant = bench.tenant()
    held = tenant.held("AWSCURRENT")
    bench.invoke(bench.names.sweep_function, {"action": "revoke", "tenant": tenant.slug})
    answer = inspect(bench, tenant.slug)
    assert (answer["proof"], answer["listed"]) == ("refused", False)
    store(tenant, json.dumps(held | {"project_id": "proj_" + "0" * 24}))
    answer = inspect(bench, tenant.slug)
    assert (answer["project"], answer["service_account"], answer["listed"]) == (None, None, False)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda _: "plain text", "not JSON"),
        (lambda held: json.dumps({"OPENAI_API_KEY": held["api_key"]}), "not of schema 1"),
        (lambda held: json.dumps(held | {"tenant": "somebody-else"}), "another tenant"),
        (lambda held: json.dumps({name: value for name, value in held.items() if name != "models"}), "`models`"),
    ],
    ids=["text", "another-shape", "another-tenant", "no-models"],
)
def test_a_value_that_is_no_payload_of_the_tenants_is_told_why_and_nothing_of_it(
    bench: Bench, change: Any, says: str
) -> None:
    tenant = bench.tenant()
    store(tenant, change(tenant.held("AWSCURRENT")))
    answer = inspect(bench, tenant.slug)
    assert says in answer["problem"]
    assert answer.keys() == {"tenant", "version_id", "problem"}


def test_a_key_that_stands_where_an_id_belongs_is_not_repeated(bench: Bench) -> None:
    tenant = bench.tenant()
    held = tenant.held("AWSCURRENT")
    store(tenant, json.dumps(held | {"key_id": held["api_key"], "expires_at": held["api_key"]}))
    assert "[redacted]" in inspect(bench, tenant.slug)["key_id"]


def test_a_secret_without_tags_is_looked_at_and_one_of_another_owner_is_not(bench: Bench) -> None:
    """`adopt` looks before it tags: a secret that is refused stays as it was."""
    tenant = bench.tenant()
    secrets = bench.client("administrator", "secretsmanager")
    secrets.untag_resource(SecretId=tenant.arn, TagKeys=["tenant", "cell", "managed-by"])
    assert inspect(bench, tenant.slug)["problem"] is None
    for tag in ({"Key": "tenant", "Value": "somebody-else"}, {"Key": "cell", "Value": "prod-eu1"}):
        secrets.tag_resource(SecretId=tenant.arn, Tags=[tag])
        with pytest.raises(AssertionError, match=r"is not a secret of cell local|another cell's tags"):
            inspect(bench, tenant.slug)
        secrets.untag_resource(SecretId=tenant.arn, TagKeys=[tag["Key"]])


def test_a_secret_that_is_empty_or_not_there_is_refused(bench: Bench) -> None:
    with pytest.raises(AssertionError, match="no secret myflux/local/nobody-here/openai"):
        inspect(bench, "nobody-here")
    tenant = bench.tenant()
    bench.client("administrator", "secretsmanager").delete_secret(SecretId=tenant.arn, RecoveryWindowInDays=7)
    with pytest.raises(AssertionError, match="is not a secret of cell local"):
        inspect(bench, tenant.slug)
