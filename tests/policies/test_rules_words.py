"""The rules' own words are true: each claim of a description is kept, and what a fix names is there."""

from __future__ import annotations

import inspect
import re
from functools import cache
from pathlib import Path
from typing import Any

import pulumi_aws
import pytest

from policies.guardrails.config import Config
from policies.guardrails.judge import RULES
from policies.guardrails.model import Rule
from policies.guardrails.rules_page import camel
from program import ROOT
from tests.policies.breaking import Claim, shipped
from tests.policies.claims import CLAIMS
from tests.policies.rehearsed import findings
from tests.policies.test_each_rule import CASES

LISTED = [(rule, claim) for rule, claims in CLAIMS.items() for claim in claims]
LIST = re.compile(r", | and |; |: |\. ")
"""What separates one claim of a description from the next."""
ELSEWHERE = {
    "tenant-gets-what-its-file-says": "test_what_the_files_say.py",
    "no-key-in-outputs": "test_no_key_in_outputs.py",
    "ours-changed-by-its-own-resource": "test_from_outside.py",
    "tags-set-by-ours-alone": "test_from_outside.py",
    "stack-of-one-tenant": "test_a_tenants_own.py",
    "dedicated-tenant-has-its-own": "test_a_tenants_own.py",
    "judged-properties-not-ignored": "test_ignored_changes.py",
}
"""Rules with a file of tests of their own, which has a case for each claim."""
SETTINGS = {camel(name): name for name in Config.__dataclass_fields__}


def by_name() -> dict[str, Rule]:
    return {rule.name: rule for rule in RULES}


@pytest.mark.parametrize(("rule", "claim"), LISTED, ids=[f"{rule}: {claim.words}" for rule, claim in LISTED])
def test_a_claim_is_kept_by_what_is_shipped_and_broken_by_its_opposite(rule: str, claim: Claim) -> None:
    assert claim.words in by_name()[rule].description, "the description says it"
    kept = shipped(claim.stack)
    if claim.told is None:
        assert findings(rule, kept) == []
    found = findings(rule, claim.breaks(kept), claim.told)
    assert found, "and the rule finds what breaks it"


def test_a_description_of_several_claims_has_a_case_for_each() -> None:
    alone = {case[0] for case in CASES}
    for rule in RULES:
        parts = len(LIST.findall(rule.description)) + 1
        if rule.name in CLAIMS:
            words = [claim.words for claim in CLAIMS[rule.name]]
            assert len(set(words)) == len(words)
        elif rule.name in ELSEWHERE:
            assert f'"{rule.name}"' in Path(__file__).with_name(ELSEWHERE[rule.name]).read_text(encoding="utf-8")
        else:
            assert rule.name in alone
            assert parts == 1, f"{rule.name} claims {parts} things: give each its row in claims.py"


def test_a_file_that_a_rule_names_is_there_and_has_what_it_names() -> None:
    named = re.compile(r"`?(?P<what>[A-Za-z_]+)`? (?:of|in) (?P<file>(?:\w+/)*\w+\.py)")
    seen = 0
    for rule in RULES:
        text = f"{rule.description} {rule.rationale} {rule.fix}"
        for file in re.findall(r"(?<![-\w/:])(?:[a-z_]+/)+(?:\w+\.py)?(?![\w/])|\bprogram\.py", text):
            if not file.startswith(("myflux", "aws")):
                assert (ROOT / file).exists(), f"{rule.name}: {file}"
        for found in named.finditer(text):
            if re.search(r"[a-z][A-Z]|_|^[A-Z]+$", found["what"]):
                seen += 1
                assert found["what"] in (ROOT / found["file"]).read_text(encoding="utf-8"), f"{rule.name}: {found[0]}"
    assert seen > 5


@cache
def known_words() -> frozenset[str]:
    """Names in the program and its files' models, and the arguments of the AWS provider's types that the rules name."""
    here = [path for top in ("components", "tenancy", "ops/cli") for path in (ROOT / top).rglob("*.py")]
    text = " ".join(path.read_text(encoding="utf-8") for path in (*here, ROOT / "program.py"))
    rules = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "policies").rglob("*.py"))
    types = {(module, name) for module, name in re.findall(r"aws:(\w+)/\w+:(\w+)", rules)}
    arguments: set[str] = set(dir(pulumi_aws.ProviderArgs))
    for module, name in types:
        of_aws: Any = getattr(pulumi_aws, "lambda_" if module == "lambda" else module)
        arguments |= {one for one, _ in inspect.getmembers(getattr(of_aws, f"{name}Args"))}
    return frozenset(arguments | set(re.findall(r"\w+", text)))


def test_a_name_in_backticks_is_a_setting_or_a_name_of_the_program_or_the_provider() -> None:
    seen = 0
    for rule in RULES:
        for quoted in re.findall(r"`([^`]+)`", f"{rule.description} {rule.rationale} {rule.fix}"):
            if quoted in SETTINGS:
                assert SETTINGS[quoted] in rule.settings, f"{rule.name} does not read {quoted}"
            elif re.fullmatch(r"[a-z_]+", quoted) and quoted != "myflux":
                seen += 1
                assert quoted in known_words(), f"{rule.name}: {quoted}"
    assert seen > 15


def test_each_source_is_a_page_of_those_who_know() -> None:
    known = r"https://(docs\.aws\.amazon\.com|www\.pulumi\.com|platform\.openai\.com)/\S+"
    for rule in RULES:
        assert re.fullmatch(known, rule.source), rule.name
