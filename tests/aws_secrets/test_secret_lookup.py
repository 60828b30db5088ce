"""Finding a secret costs the same however many there are, by ARN as by name.

In this process, on MiniStack's own dictionaries, with a dictionary that refuses to be walked through.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
"""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from ministack.services import secretsmanager, tagging

from local.aws.secrets import resource_tags, store

PREFIX = "arn:aws:secretsmanager:us-east-1:000000000000:secret:"


class LookUpOnly(dict[Any, Any]):
    """Counts look-ups; walking through it is a failure."""

    looked_up = 0

    def get(self, key: Any, default: Any = None) -> Any:
        self.looked_up += 1
        return super().get(key, default)

    def _walk(self, *_: object) -> NoReturn:
        raise AssertionError("every secret was looked at to find one")

    __iter__ = keys = values = items = _walk


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> LookUpOnly:
    """Two thousand secrets, ``many/0`` to ``many/1999``."""
    kept = LookUpOnly()
    monkeypatch.setattr(secretsmanager._secrets, "_data", kept)
    for number in range(2000):
        record = {
            "ARN": f"{PREFIX}many/{number}-AbCdEf",
            "Name": f"many/{number}",
            "Tags": [{"Key": "n", "Value": str(number)}],
        }
        secretsmanager._secrets[f"many/{number}"] = record
    return kept


@pytest.mark.parametrize("secret_id", ["many/1999", f"{PREFIX}many/1999-AbCdEf", f"{PREFIX}many/1999"])
def test_a_secret_is_looked_up_and_not_searched_for(kept: LookUpOnly, secret_id: str) -> None:
    name, found = store.resolve(secret_id)
    assert name == "many/1999"
    assert found is not None
    assert kept.looked_up <= 2


@pytest.mark.parametrize(
    "secret_id",
    [
        f"{PREFIX}many/1999-XXXXXX",
        f"{PREFIX}many/199",
        f"{PREFIX}many/19999-AbCdEf",
        f"{PREFIX}many/1999-AbCd",
        f"{PREFIX}many/".replace("us-east-1", "eu-west-1"),
        f"{PREFIX}many/1999-AbCdEf".replace("000000000000", "111122223333"),
        "arn:aws:s3:::many/1999",
        "arn:aws:secretsmanager",
        "many/2000",
        "",
    ],
)
def test_only_a_whole_arn_or_one_without_its_suffix_finds_a_secret(kept: LookUpOnly, secret_id: str) -> None:
    """MiniStack takes any beginning of an ARN, and so finds another secret than the one that was meant."""
    if secret_id == f"{PREFIX}many/199":
        assert store.resolve(secret_id)[0] == "many/199", "not many/1990 to many/1999"
        return
    assert store.resolve(secret_id) == (None, None)
    assert kept.looked_up <= 2


def test_tags_and_policy_for_the_policy_check_are_looked_up_too(kept: LookUpOnly) -> None:
    tags = resource_tags.for_arn(tagging.resource_tags)
    assert tags(f"{PREFIX}many/7-AbCdEf") == {"n": "7"}
    assert tags(f"{PREFIX}many/2000-AbCdEf") is None
    assert resource_tags.policy_for_arn(f"{PREFIX}many/7-AbCdEf") == ("", "000000000000")
    assert resource_tags.policy_for_arn(f"{PREFIX}gone-AbCdEf") is None
    assert kept.looked_up <= 8
