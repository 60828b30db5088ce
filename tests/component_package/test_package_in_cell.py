"""The component package under the real engine: another program's components, on a cell of their own.

The program is Python without an SDK, which only running the examples takes: what crosses the wire is the same.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from local.cell import LocalCell
from tests.component_package.plugin_folder import plugin_folder
from tests.program.rig import ROOT, Rig

pytestmark = [pytest.mark.engine, pytest.mark.cell]

STACK = "dev"
PROGRAM = """\
import json, os, pulumi

class Remote(pulumi.ComponentResource):
    def __init__(self, kind, name, outputs, inputs):
        super().__init__(f"myflux:index:{kind}", name, {**inputs, **dict.fromkeys(outputs)}, None, True)

CELL = {
    "cell": "local", "accountId": "000000000000", "region": "us-east-1", "production": False, "local": True,
    "runtimePrincipals": ["arn:aws:iam::000000000000:user/runtime"],
    "deployerPrincipals": ["arn:aws:iam::000000000000:user/deployer"],
    "recoveryWindowDays": 7, "openai": {"organizationId": "org-local"},
}
SHARED = ("kmsKeyArn", "rotationFunctionArn", "provisionerFunction")
platform = Remote("Platform", "local", (*SHARED, "adminSecretArn"), {"cell": CELL})
shared = {name: getattr(platform, name) for name in SHARED}
more = json.loads(os.environ.get("MORE", "{}"))
if more.pop("late", False):
    more["country"] = platform.kmsKeyArn
initech = Remote("TenantKey", "initech", ("secretArn", "roleArn"), {
    "cell": CELL, **shared, "tenant": "initech", "name": "Initech", "country": "US", "source": "customer",
    "models": ["gpt-6-luna"], **more,
})
pulumi.export("secretArn", initech.secretArn)
pulumi.export("adminSecretArn", platform.adminSecretArn)
"""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("package")
    cell = LocalCell.start(folder / "cell")
    try:
        made = Rig(cell, ROOT, folder / "said", project=folder / "project")
        made.said.mkdir()
        made.project.mkdir()
        (made.project / "__main__.py").write_text(PROGRAM, encoding="utf-8")
        description = json.loads((plugin_folder(folder / "plugin") / "PulumiPlugin.yaml").read_text(encoding="utf-8"))
        description |= {"name": "others", "packages": {"myflux": str(folder / "plugin")}}
        (made.project / "Pulumi.yaml").write_text(json.dumps(description), encoding="utf-8")
        yield made
    finally:
        cell.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def up(rig: Rig) -> Rig:
    rig.up(STACK)
    return rig


def test_another_program_makes_a_platform_and_a_tenants_place(up: Rig) -> None:
    told = json.loads(up.pulumi("stack", "output", "--stack", STACK, "--json").out)
    assert told["secretArn"] == up.describe("initech")["ARN"]
    admin = up.client("deployer", "secretsmanager").describe_secret(SecretId=up.names.admin_secret)
    assert told["adminSecretArn"] == admin["ARN"]
    assert up.describe("initech")["KmsKeyId"], "the tenant's secret is locked with the platform's key"
    assert not up.preview(STACK).changed, "a program that nobody changed has nothing to do"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"late": True}, "country must be plain [not-plain]"),
        ({"name": "sk-" + "proj-" + "aB3" * 16}, "key-shaped"),
    ],
)
def test_a_refusal_reaches_the_person_in_words_and_changes_nothing(up: Rig, more: dict[str, object], told: str) -> None:
    refused = up.preview(STACK, environment=up.environment() | {"MORE": json.dumps(more)}, fails=True)
    said = "\n".join(refused.errors)
    assert told in said
    assert "initech" in said, "the reader needs to know which component"
    assert "Traceback" not in said
    assert "package/" not in said, "where the code stands is no part of a refusal"
    assert "aB3" * 16 not in refused.out + refused.err, "a key that was refused must not be printed either"
