"""Each type of the installed AWS provider that can change a resource of ours has been looked at, and is ruled on."""

from __future__ import annotations

from collections import Counter

import pytest

from policies.guardrails.iam.policy_holders import PLACES
from policies.guardrails.judge import RULES
from policies.guardrails.outside_types import CHANGERS, OVERWRITES
from policies.guardrails.own_attachments import ATTACHING
from tests.mutants.subjects import SUBJECTS, subject
from tests.policies import provider_types
from tests.policies.provider_types import HARMLESS, JUDGED, OF_OURS, REFUSED, asked_about, file_of, module, types


def test_each_type_that_can_change_ours_is_in_the_table_once() -> None:
    harmless = Counter(file for files in HARMLESS.values() for file in files)
    assert [file for file, times in harmless.items() if times > 1] == []
    ruled = Counter({file_of(type_): 1 for type_ in (*JUDGED, *REFUSED)})
    both = ruled + harmless
    asked = {file_of(type_) for type_ in asked_about()}
    assert asked - both.keys() == set(), "a new type of the provider: what can it do to a resource of ours?"
    assert both.keys() - asked == set(), "the provider has no such type"
    assert [file for file, times in both.items() if times > 1] == [], "one ruling each"


def test_a_new_type_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    new = {
        "aws:secretsmanager/newPolicy:NewPolicy": frozenset({"secretArn"}),
        "aws:other/tag:Tag": frozenset({"thing"}),
        "aws:other/attachment:Attachment": frozenset({"resourceArn"}),
        "aws:other/thing:Thing": frozenset({"name"}),
    }
    monkeypatch.setattr(provider_types, "types", lambda: {**types(), **new})
    assert asked_about() - (before := frozenset(types())) == new.keys() - {"aws:other/thing:Thing"}
    assert len(before) > 1000, "the whole provider was read"


def test_the_services_of_ours_are_those_of_the_program() -> None:
    made = {one.type for name in SUBJECTS for one in subject(name).stack if one.type.startswith("aws:")}
    assert {module(type_) for type_ in made} == OF_OURS
    shown = {
        "aws:cloudwatch/dashboard:Dashboard",
        "aws:iam/outboundWebIdentityFederation:OutboundWebIdentityFederation",
        "aws:kms/alias:Alias",
    }
    assert made <= JUDGED.keys() | shown, "what the program makes is judged, but what changes nothing"


def test_what_the_table_calls_judged_is_judged_by_a_rule_that_there_is() -> None:
    assert set(JUDGED.values()) <= {rule.name for rule in RULES}
    assert {type_ for type_ in PLACES if type_.startswith("aws:")} <= JUDGED.keys()
    assert ATTACHING.keys() <= JUDGED.keys() | REFUSED
    assert OVERWRITES.keys() <= JUDGED.keys()


@pytest.mark.parametrize("changer", CHANGERS, ids=lambda one: one.type)
def test_a_refused_type_has_the_property_that_names_what_it_changes(changer: object) -> None:
    (one,) = [found for found in CHANGERS if found is changer]
    assert one.path[0] in types()[one.type]
    assert one.of in types()
