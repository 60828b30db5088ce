"""The provider's own settings: taken, refused, and never shown where they are secret."""

from __future__ import annotations

import pytest

from local.provider.configuration import parse, refusals
from local.provider.values import UNKNOWN, Secret


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("regions", "x", "did you mean region?"),
        ("assumeRoles", "[]", "does not support"),
        ("allowedAccountIds", '["12"]', "'12', which is not an account id"),
        ("allowedAccountIds", '"1"', "must be a list"),
        ("defaultTags", '{"tag": {}}', "must be of the form"),
        ("endpoints", '[{"s3": "http://x"}]', "names 's3'"),
        ("region", 3, "must be a string"),
        ("maxRetries", "many", "whole number"),
    ],
)
def test_a_setting_that_cannot_be_honoured_is_refused(name: str, value: object, text: str) -> None:
    found = dict(refusals({name: value}))
    assert text in found.get(name, ""), found


def test_what_the_sdk_always_sends_is_taken() -> None:
    sent = {
        "region": "us-east-1",
        "skipCredentialsValidation": "false",
        "skipRegionValidation": "true",
        "version": "7.51.1",
    }
    assert refusals(sent) == []


def test_what_is_unknown_in_a_preview_is_taken() -> None:
    assert refusals({"region": UNKNOWN, "allowedAccountIds": UNKNOWN, "defaultTags": UNKNOWN}) == []


def test_settings_are_read_from_json_text_and_from_plain_values() -> None:
    for ids, tags in (('["000000000000"]', '{"tags":{"a":"b"}}'), (["000000000000"], {"tags": {"a": "b"}})):
        found = parse(
            {"region": "r", "allowedAccountIds": ids, "defaultTags": tags, "endpoints": '[{"eventbridge":"http://e"}]'}
        )
        assert found.allowed_account_ids == ("000000000000",)
        assert found.default_tags == {"a": "b"}
        assert found.endpoints == {"events": "http://e"}


def test_credentials_are_read_and_never_shown() -> None:
    key = "AK" + "IA" + "X" * 16
    found = parse({"region": "r", "accessKey": Secret(key), "secretKey": Secret("hidden"), "token": Secret("session")})
    assert (found.access_key, found.secret_key, found.token) == (key, "hidden", "session")
    for secret in (key, "hidden", "session"):
        assert secret not in repr(found)


def test_allowed_and_forbidden_accounts_exclude_each_other() -> None:
    found = refusals({"allowedAccountIds": '["000000000000"]', "forbiddenAccountIds": '["111111111111"]'})
    assert found == [("forbiddenAccountIds", "conflicts with allowedAccountIds: give one of them")]


def test_the_region_falls_back_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert parse({}).region == "eu-west-1"
