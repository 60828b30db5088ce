"""Staging labels: UpdateSecretVersionStage over HTTP, and the moves as pure functions.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.aws.secrets import labels

ONE, TWO, THREE = "1" * 32, "2" * 32, "3" * 32


@pytest.fixture
def move(secrets: Any, name: str) -> Any:
    """A secret with ONE current and TWO pending; ``move(label, to, source)``."""
    secrets.create_secret(Name=name, SecretString="a", ClientRequestToken=ONE)
    secrets.put_secret_value(SecretId=name, SecretString="b", ClientRequestToken=TWO, VersionStages=["AWSPENDING"])

    def call(label: str, to: str | None = None, source: str | None = None) -> dict[str, list[str]]:
        parameters = {"MoveToVersionId": to, "RemoveFromVersionId": source}
        secrets.update_secret_version_stage(
            SecretId=name, VersionStage=label, **{key: value for key, value in parameters.items() if value}
        )
        return secrets.describe_secret(SecretId=name)["VersionIdsToStages"]

    return call


def test_moving_current_names_the_version_that_loses_it_and_takes_previous_along(move: Any) -> None:
    """ "Whenever you move AWSCURRENT, Secrets Manager automatically moves the label AWSPREVIOUS to the version that
    AWSCURRENT was removed from." AWSPENDING stays with the version."""
    assert move("AWSCURRENT", TWO, ONE) == {ONE: ["AWSPREVIOUS"], TWO: ["AWSPENDING", "AWSCURRENT"]}
    assert move("AWSCURRENT", ONE, TWO) == {ONE: ["AWSCURRENT"], TWO: ["AWSPENDING", "AWSPREVIOUS"]}, "a roll-back"


def test_moving_a_label_without_naming_its_holder_is_refused(move: Any, refused: Any) -> None:
    """ "If the label is attached and you either do not specify this parameter, or the version ID does not match, then
    the operation fails." """
    found = refused(move, label="AWSCURRENT", to=TWO)
    assert (found.code, found.message) == (
        "InvalidParameterException",
        "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version "
        f"{ONE}, so you must explicitly reference that version in RemoveFromVersionId.",
    )
    assert refused(move, label="AWSCURRENT", to=TWO, source=TWO).code == "InvalidParameterException"
    assert refused(move, label="unknown", to=TWO, source=ONE).code == "InvalidParameterException"
    assert refused(move, label="AWSCURRENT", to=THREE, source=ONE).code == "ResourceNotFoundException"
    assert refused(move, label="AWSCURRENT").code == "InvalidParameterException"
    assert move("free", TWO) == {ONE: ["AWSCURRENT"], TWO: ["AWSPENDING", "free"]}, "a free label needs no holder"


def test_current_cannot_be_removed(move: Any, refused: Any) -> None:
    found = refused(move, label="AWSCURRENT", source=ONE)
    assert (found.code, found.message) == (
        "InvalidParameterException",
        "You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed.",
    )


def test_removing_the_last_label_deprecates_a_version(move: Any) -> None:
    assert move("AWSPENDING", source=TWO) == {ONE: ["AWSCURRENT"]}


def test_putting_a_label_where_it_is_changes_nothing(move: Any) -> None:
    assert move("AWSCURRENT", ONE) == {ONE: ["AWSCURRENT"], TWO: ["AWSPENDING"]}


_MOVES = st.lists(
    st.tuples(st.sampled_from(["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS", "mine"]), st.sampled_from("abcd")),
    max_size=20,
)


@given(_MOVES)
def test_after_any_moves_a_label_sits_on_one_version_and_previous_was_current(moves: list[tuple[str, str]]) -> None:
    secret: dict[str, Any] = {"Versions": {vid: {"Stages": [], "CreatedDate": 0} for vid in "abcd"}}
    for label, version_id in moves:
        current = labels.holder(secret, "AWSCURRENT")
        labels.attach(secret, label, version_id)
        held = [stage for version in secret["Versions"].values() for stage in version["Stages"]]
        assert len(held) == len(set(held)), "each label once"
        assert labels.holder(secret, label) == version_id
        if label == "AWSCURRENT" and current not in {None, version_id}:
            assert labels.holder(secret, "AWSPREVIOUS") == current


@given(st.lists(st.booleans(), max_size=140), st.integers(0, 140))
def test_pruning_keeps_labelled_young_and_the_newest_hundred(labelled: list[bool], young: int) -> None:
    now = 10 * labels.KEPT_SECONDS
    versions: dict[str, dict[str, Any]] = {
        str(i): {
            "Stages": ["AWSCURRENT"] if has_label else [],
            "CreatedDate": now if i >= len(labelled) - young else i,
        }
        for i, has_label in enumerate(labelled)
    }
    secret: dict[str, Any] = {"Versions": dict(versions)}
    labels.prune(secret, now)
    gone = [versions[vid] for vid in versions if vid not in secret["Versions"]]
    assert all(not version["Stages"] and version["CreatedDate"] < now for version in gone)
    removable = [v for v in versions.values() if not v["Stages"] and v["CreatedDate"] < now]
    assert len(gone) == min(len(removable), max(0, len(versions) - 100))
    assert all(
        version["CreatedDate"] <= min((v["CreatedDate"] for v in removable if v not in gone), default=now)
        for version in gone
    )
