"""No test gets the credentials of another one by boto3's default session, which keeps those that it found first."""

from __future__ import annotations

import boto3
import pytest


@pytest.mark.parametrize("who", ["one", "another"])
def test_each_test_begins_without_a_default_session(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", who)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    boto3.client("sts", "us-east-1").close()
    held = boto3.DEFAULT_SESSION.get_credentials() if boto3.DEFAULT_SESSION else None
    assert held is not None
    assert held.access_key == who
