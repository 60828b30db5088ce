"""What the real engine shows to the pack's rules about a stack: outputs too, and unknown values from no resource."""

from __future__ import annotations

import pytest

from program import ROOT
from tests.engine.tiny_project import Project

pytestmark = pytest.mark.engine

PACK = ("--policy-pack", str(ROOT / "policies"))
REFUSED = "no-key-in-outputs"
KEY = "sk-" + "svcacct-" + "a1B2" * 8
LEAKS = """\
    import pulumi

    KEY = "sk-" + "svcacct-" + "a1B2" * 8

    class Thing(pulumi.ComponentResource):
        def __init__(self, name, answer):
            super().__init__("tiny:index:Thing", name)
            self.register_outputs({"answer": answer})

    Thing("one", WHAT)
    pulumi.Stash("two", input="nothing")
    pulumi.export("made", EXPORTED)
    """
FROM_NOWHERE = """\
    import asyncio

    import pulumi
    from pulumi_aws import Provider
    from pulumi_aws.iam import RolePolicyAttachment

    async def known(value):
        return value

    # As a lookup that is not made in a preview.
    nowhere = pulumi.Output(set(), known(None), known(False))
    provider = Provider(
        "aws",
        region="us-east-1",
        access_key="nobody",
        secret_key="nothing",
        skip_credentials_validation=True,
        skip_requesting_account_id=True,
    )
    RolePolicyAttachment("theirs", role="theirs", policy_arn=nowhere, opts=pulumi.ResourceOptions(provider=provider))
    """


def leaking(project: Project, *, component: str = "'ids only'", export: str = "'ids only'") -> None:
    project.write("__main__.py", LEAKS.replace("WHAT", component).replace("EXPORTED", export))


def test_a_key_in_an_output_is_refused(project: Project) -> None:
    leaking(project)
    assert REFUSED not in project.pulumi("preview", *PACK)
    leaking(project, component="{'key': KEY}")
    told = project.pulumi("preview", *PACK, fails=True)
    assert REFUSED in told, "a component's output"
    assert "one.answer.key" in told
    leaking(project, export="pulumi.Output.secret(KEY)")
    told = project.pulumi("preview", *PACK, fails=True)
    assert REFUSED in told, "an export, marked as secret or not"
    assert "tiny-dev.made" in told
    assert KEY not in told.partition("Outputs:")[0], "no rule says it again"


def test_a_value_from_no_resource_is_said_to_be_unknown(project: Project) -> None:
    project.write("__main__.py", FROM_NOWHERE)
    told = project.pulumi("preview", *PACK, fails=True)
    assert "policies-attached-where-they-belong" in told
    assert "theirs.policyArn: cannot be judged before deployment" in told
