"""ListSecrets: which secrets its filters let through, and what is told of one that is being deleted.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
"""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def made(secrets: Any, name: str) -> str:
    tags = [{"Key": f"Cell-{name}", "Value": f"Local-{name}"}, {"Key": "tenant", "Value": "acme"}]
    secrets.create_secret(Name=f"{name}/One", SecretString="a", Tags=tags, Description=f"Of {name}")
    secrets.create_secret(Name=f"x-{name}/One", SecretString="a")
    return name


@pytest.mark.parametrize(
    ("key", "value", "passes"),
    [
        ("name", "{}/One", True),
        ("name", "{}/O", True),
        ("name", "{}/one", False),
        ("tag-key", "Cell-{}", True),
        ("tag-key", "cell-{}", False),
        ("tag-value", "Local-{}", True),
        ("tag-value", "ocal-{}", False),
        ("description", "of {}", True),
        ("description", "{}", False),
        ("all", "LOCAL-{} nothing", True),
    ],
)
def test_a_filter_matches_by_prefix_and_with_case_but_for_descriptions(
    secrets: Any, made: str, key: str, value: str, passes: bool
) -> None:
    """A prefix that stands inside a name does not match: one secret's name holds the other's."""
    listed = secrets.list_secrets(Filters=[{"Key": key, "Values": [value.format(made)]}])["SecretList"]
    assert [entry["Name"] for entry in listed] == ([f"{made}/One"] if passes else [])


def test_filters_add_up_and_a_value_with_an_exclamation_mark_shuts_out(secrets: Any, made: str) -> None:
    ours = {"Key": "name", "Values": [made]}
    for more, found in (
        ({"Key": "tag-value", "Values": ["acme"]}, True),
        ({"Key": "tag-value", "Values": ["other"]}, False),
        ({"Key": "tag-value", "Values": ["!acme"]}, False),
        ({"Key": "tag-value", "Values": ["!other"]}, True),
    ):
        assert bool(secrets.list_secrets(Filters=[ours, more])["SecretList"]) is found, more


def test_a_secret_in_its_window_is_listed_on_demand_with_its_tags_and_its_date(secrets: Any, made: str) -> None:
    ours = [{"Key": "name", "Values": [made]}]
    deleted = secrets.delete_secret(SecretId=f"{made}/One", RecoveryWindowInDays=7)["DeletionDate"]
    assert secrets.list_secrets(Filters=ours)["SecretList"] == []
    (entry,) = secrets.list_secrets(Filters=ours, IncludePlannedDeletion=True)["SecretList"]
    assert entry["DeletedDate"] == deleted
    assert {"Key": "tenant", "Value": "acme"} in entry["Tags"]
    assert entry["SecretVersionsToStages"], "its versions wait with it"
    secrets.restore_secret(SecretId=f"{made}/One")
    (entry,) = secrets.list_secrets(Filters=ours)["SecretList"]
    assert "DeletedDate" not in entry
