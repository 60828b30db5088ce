"""What changes is told by statement and value, costs what AWS asks, and is said once for stacks that change alike."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pulumi.output import Unknown

from ops.review.cost import Cost, cost
from ops.review.difference import Change, alike, changes
from ops.review.registered import Registered, from_json, to_json

SECRET, POLICY, KEY = (
    "aws:secretsmanager/secret:Secret",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    "aws:kms/key:Key",
)


def made(type_: str = SECRET, name: str = "acme-key-secret", **inputs: Any) -> Registered:
    return Registered(
        urn=f"urn:pulumi:acme.local::myflux-keys::{type_}::{name}",
        type=type_,
        name=name,
        inputs=inputs,
        id="i",
        outputs={},
        parent="",
        provider="",
        custom=True,
        protect=False,
        retain_on_delete=False,
        dependencies=frozenset(),
        property_dependencies={},
    )


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": list(statements)})


def only(before: list[Registered], after: list[Registered]) -> Change:
    (change,) = changes(before, after)
    return change


def test_a_statement_that_goes_is_told_and_its_neighbours_are_not() -> None:
    one, two = {"Sid": "One", "Action": ["a:B"]}, {"Sid": "Two", "Effect": "Deny"}
    change = only([made(POLICY, policy=policy(one, two))], [made(POLICY, policy=policy(two))])
    told = ('policy.Statement[One].Action[]: "a:B"', 'policy.Statement[One].Sid: "One"')
    assert (change.action, change.lost, change.gained) == ("update", told, ())


def test_a_change_of_what_is_not_shown_is_told_all_the_same() -> None:
    """A hash, an ARN with an id in it, a secret: a reviewer must know that it is another."""
    withheld = [made(description=text * 16) for text in ("a1b2c3d4", "d4c3b2a1")]
    change = only(*[[one] for one in withheld])
    assert change.lost == change.gained == ("description: (value withheld)",)
    secrets = [replace(made(value=text), secret=frozenset({"value"})) for text in ("one", "other")]
    change = only(*[[one] for one in secrets])
    assert change.lost == change.gained == ("value: (secret)",)


def test_a_secret_and_what_may_be_a_key_are_never_shown() -> None:
    key = "sk-" + "proj-" + "Q7x2" * 8
    before, after = made(description="plain"), made(description=key, tags={"a": Unknown()})
    change = only([before], [after])
    assert change.gained == ("description: (value withheld)", "tags.a: (known once deployed)")
    hidden = replace(made(value="other"), secret=frozenset({"value"}))
    assert only([made(value="mine")], [hidden]).gained == ("value: (secret)",)


def test_what_cannot_be_undone_is_said() -> None:
    assert "recovery window" in only([made()], []).final
    assert only([], [made()]).final == "", "making a secret loses nothing"


def test_a_protection_and_an_order_that_are_dropped_are_changes() -> None:
    held = replace(made(), protect=True, dependencies=frozenset({"urn::x::the-lock"}))
    assert only([held], [made()]).lost == ("(after): the-lock", "(protected): true")


def test_stacks_that_change_alike_are_told_together() -> None:
    def raised(tenant: str, days: int) -> tuple[Change, ...]:
        name = f"{tenant}-key-secret"
        return changes([made(name=name, days=7, owner=tenant)], [made(name=name, days=days, owner=f"{tenant}-team")])

    found = {"acme.local": raised("acme", 8), "fjord.local": raised("fjord", 8), "globex.local": raised("globex", 9)}
    assert [stacks for stacks, _ in alike(found)] == [("acme.local", "fjord.local"), ("globex.local",)]


def test_each_replica_costs_like_a_secret_and_a_key_of_ones_own_more() -> None:
    counted = cost(
        [made(replicas=[{"region": "us-west-2"}, {"region": "eu-west-1"}]), made(KEY, "k"), made(POLICY, "p")]
    )
    assert counted == Cost(secrets=1, replicas=2, keys=1)
    assert counted.usd == Decimal("2.20"), "3 x $0.40 and 1 x $1.00"


def test_a_resource_told_by_another_process_is_the_same() -> None:
    one = made(tags={"a": "b"}, list=[1.0, None, Unknown()])
    back = from_json(json.loads(json.dumps(to_json(one))))
    assert isinstance(back.inputs["list"][2], Unknown)
    assert to_json(back) == to_json(one)
