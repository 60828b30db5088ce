"""A second factor: a code is right for its moment, once, and for its owner; a role's trust policy can ask for it.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
"""

from __future__ import annotations

import configparser
import stat
import time
from dataclasses import dataclass
from typing import Any

import pytest

from local import totp
from tests.aws_iam.served import ACCOUNT, Cell, allow, refusal, trust, unique, user_arn

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
FAILED = "MultiFactorAuthentication failed"


@dataclass
class Person:
    """A user with a device. `code` is that of the device's step `ahead` of the present one."""

    name: str
    session: Any
    serial: str
    seed: str

    def code(self, ahead: int = 0) -> str:
        return totp.code(self.seed, totp.step(time.time()) + ahead)

    def factor(self, code: str) -> dict[str, str]:
        return {"SerialNumber": self.serial, "TokenCode": code}


def a_person(cell: Cell) -> Person:
    iam = cell.client("administrator", "iam")
    name, session = cell.user([allow("sts:AssumeRole")])
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=unique("phone"))["VirtualMFADevice"]
    person = Person(name, session, made["SerialNumber"], made["Base32StringSeed"].decode())
    iam.enable_mfa_device(
        UserName=name,
        SerialNumber=person.serial,
        AuthenticationCode1=person.code(-2),
        AuthenticationCode2=person.code(-1),
    )
    return person


def a_role(cell: Cell, person: Person, **condition: Any) -> str:
    return cell.role([trust({"AWS": user_arn(person.name)}, Condition=condition or MFA)], [allow("sqs:ListQueues")])


def test_codes_are_those_that_an_authenticator_shows():
    """RFC 6238, appendix B: the seed is the ASCII text 12345678901234567890; six of its eight digits."""
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    shown = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}
    assert {at: totp.code(seed, totp.step(at)) for at in shown} == shown


def test_a_role_that_asks_for_a_second_factor_is_for_who_shows_one(cell: Cell):
    person = a_person(cell)
    role = a_role(cell, person)
    assert refusal(lambda: cell.assume(person.session, role))[0] == "AccessDenied", "an access key alone"
    session = cell.assume(person.session, role, **person.factor(person.code()))
    assert cell.client(session, "sqs").list_queues()
    event = cell.events("ListQueues")[0]
    assert event["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] == "true"
    asked = next(one for one in cell.events("AssumeRole") if one["requestParameters"])
    assert "tokenCode" not in asked["requestParameters"]
    assert asked["requestParameters"]["serialNumber"] == person.serial


def test_a_code_is_taken_once(cell: Cell):
    person = a_person(cell)
    role = a_role(cell, person)
    code = person.code()
    assert cell.assume(person.session, role, **person.factor(code))
    denied = refusal(lambda: cell.assume(person.session, role, **person.factor(code)))
    assert denied == ("AccessDenied", f"{FAILED} with invalid MFA one time pass code. ")


@pytest.mark.parametrize("case", ["another code", "one of long ago", "no code", "no device", "another person's"])
def test_a_second_factor_that_is_wrong_refuses_the_call(cell: Cell, case: str):
    person, other = a_person(cell), a_person(cell)
    open_to_all = a_role(cell, person, StringLike={"aws:PrincipalArn": "*"})
    wrong: dict[str, dict[str, str]] = {
        "another code": person.factor(other.code()),
        "one of long ago": person.factor(person.code(-20)),
        "no code": {"SerialNumber": person.serial},
        "no device": {"TokenCode": person.code()},
        "another person's": other.factor(other.code()),
    }
    code, message = refusal(lambda: cell.assume(person.session, open_to_all, **wrong[case]))
    assert code == "AccessDenied", "even where no policy asks for a second factor"
    assert message.startswith(FAILED)


def test_a_roles_session_shows_no_second_factor_by_a_users_device(cell: Cell):
    """A device is a user's. Whoever became a role with a second factor has it in that role's session."""
    person = a_person(cell)
    first = cell.role([trust({"AWS": user_arn(person.name)})], [allow("sts:AssumeRole")])
    second = cell.role([trust({"AWS": first}, Condition=MFA)], [])
    without = cell.assume(person.session, first)
    assert refusal(lambda: cell.assume(without, second))[0] == "AccessDenied"
    denied = refusal(lambda: cell.assume(without, second, **person.factor(person.code())))
    assert denied[1].startswith(FAILED)
    with_one = cell.assume(person.session, first, **person.factor(person.code()))
    assert cell.assume(with_one, second)


def test_a_device_is_enabled_by_two_codes_in_a_row(cell: Cell):
    iam = cell.client("administrator", "iam")
    name, _ = cell.user([allow("sqs:ListQueues")])
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=unique("phone"))["VirtualMFADevice"]
    person = Person(name, None, made["SerialNumber"], made["Base32StringSeed"].decode())

    def enabled(first: str, second: str) -> Any:
        return iam.enable_mfa_device(
            UserName=name, SerialNumber=person.serial, AuthenticationCode1=first, AuthenticationCode2=second
        )

    assert refusal(lambda: enabled(person.code(), person.code()))[0] == "InvalidAuthenticationCode"
    assert refusal(lambda: enabled("000000", "000001"))[0] == "InvalidAuthenticationCode"
    assert enabled(person.code(-1), person.code())


def test_the_cells_person_has_a_device_of_their_own(cell: Cell):
    path = cell.home / "mfa"
    devices = configparser.ConfigParser()
    devices.read(path)
    assert devices.sections() == ["deployer"]
    assert devices["deployer"]["serial_number"] == f"arn:aws:iam::{ACCOUNT}:mfa/deployer"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, "whoever can read the file has the person's second factor"


def test_the_deployer_becomes_no_role_by_the_access_key_alone(cell: Cell):
    """Whoever stole the key could write the trust policy too. Both of these ask nothing."""
    person = "arn:aws:iam::000000000000:user/deployer"
    role = cell.role([trust({"AWS": person})], [], RoleName=unique("myflux") + "-handover")
    other = cell.role([trust({"AWS": person})], [], RoleName=unique("myflux"))
    devices = configparser.ConfigParser()
    devices.read(cell.home / "mfa")
    device = devices["deployer"]
    factor = {"SerialNumber": device["serial_number"]}
    assert refusal(lambda: cell.assume("deployer", role))[0] == "AccessDenied"
    number = totp.step(time.time())
    denied = refusal(lambda: cell.assume("deployer", other, **factor, TokenCode=totp.code(device["seed"], number)))
    assert denied[0] == "AccessDenied", "only a role of that name"
    assert cell.assume("deployer", role, **factor, TokenCode=totp.code(device["seed"], number + 1))
