"""Connect in a bootstrapped cell: people deploy it, make links, confirm and switch it off by the rights of their role.

Real calls to a cell that enforces IAM, and the real engine. The role has no right but those of the one document that is
its policy and its boundary.
"""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from myflux_keys.aws_names import CellNames
from myflux_keys.cell_functions import PROMOTER
from tests.bootstrap.alice import Alice
from tests.bootstrap.conftest import Founding
from tests.connect.visitor import Browser
from tests.customer_key.theirs import TheirOpenAI
from tests.program.rig import CELL

pytestmark = [pytest.mark.engine, pytest.mark.cell]
CUSTOMER = "initech"
ON, OFF = "connect: {enabled: true}\n", "connect: {enabled: false}\n"


@pytest.fixture(scope="module")
def names(founding: Founding) -> CellNames:
    return CellNames(CELL, founding.cell.account_id, founding.cell.region)


@pytest.fixture(scope="module")
def alice(founding: Founding) -> Alice:
    made = Alice.of(founding, OFF)
    made.add_tenant(CUSTOMER)
    return made


def test_people_deploy_connect_take_in_a_key_and_switch_it_off(alice: Alice, names: CellNames) -> None:
    cell = alice.founding.cell
    alice.switch(OFF, ON)

    made = alice.run("connect", CUSTOMER)
    theirs = TheirOpenAI(cell)
    key = theirs.key()[1]
    address, _, token = made["url"].partition("#")
    browser = Browser(cell, address)
    assert browser.post("/session", token=token)["state"] == "open"
    assert browser.post("/check", link=made["link"], key=key)["passed"]
    browser.post("/save", link=made["link"], key=key)
    alice.client("lambda").invoke(FunctionName=names.function(PROMOTER), Payload=b"{}")
    assert alice.run("connect", "confirm", CUSTOMER, "--yes")["state"] == "promoted"

    kms, s3, secrets = (alice.client(service) for service in ("kms", "s3", "secretsmanager"))
    with pytest.raises(ClientError, match="AccessDenied"):
        secrets.get_secret_value(SecretId=names.tenant(CUSTOMER).secret)
    with pytest.raises(ClientError, match="AccessDenied"):
        kms.encrypt(KeyId=names.intake_kms_alias, Plaintext=b"a key of another's")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=names.connect_bucket, Key=f"handed-in/{CUSTOMER}/{made['link']}", Body=b"")

    alice.switch(ON, OFF)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        cell.client("administrator", "s3").list_objects_v2(Bucket=names.connect_bucket)
    listed = cell.client("administrator", "kms").list_aliases()["Aliases"]
    assert not {one["AliasName"] for one in listed} & {names.intake_kms_alias, names.link_kms_alias}
