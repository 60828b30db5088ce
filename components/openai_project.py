"""A tenant's project and service account at OpenAI, made by the cell's provisioner function."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws.lambda_ import Invocation


@dataclass
class OpenAIProjectArgs:
    """`provisioner_function` is the name or ARN of the function that is called with `specification`."""

    provisioner_function: pulumi.Input[str]
    specification: dict[str, Any]
    """Plain JSON, shown as it is in a preview's diff: project, service account, models, rate limits, budget. No key."""
    protect: bool = False


class OpenAIProject(pulumi.ComponentResource):
    """Ensured on create, brought in line on update, archived on delete after its keys are dead.

    The function answers with ids only, since whatever it answers lands in the state.
    """

    project_id: pulumi.Output[str]
    service_account_id: pulumi.Output[str]

    def __init__(self, name: str, args: OpenAIProjectArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:OpenAIProject", name, None, opts)
        invocation = Invocation(
            f"{name}-invocation",
            function_name=args.provisioner_function,
            input=json.dumps(args.specification, sort_keys=True),
            lifecycle_scope="CRUD",
            # Archiving a project is final: https://platform.openai.com/docs/api-reference/projects/archive
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )

        def answered(field: str) -> pulumi.Output[str]:
            return invocation.result.apply(lambda result: str(json.loads(result)[field]))

        self.project_id = answered("project_id")
        self.service_account_id = answered("service_account_id")
        self.register_outputs({"project_id": self.project_id, "service_account_id": self.service_account_id})
