"""A tenant's project and service account at OpenAI, created by the cell's provisioner function."""

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
    """Project, service account, models, rate limits and budget, as JSON that a preview's diff shows. No key."""
    protect: bool = False


class OpenAIProject(pulumi.ComponentResource):
    """Created if missing, updated, and on delete archived after its keys were revoked.

    The function returns only ids, since Pulumi's state keeps its result.
    """

    project_id: pulumi.Output[str]
    service_account_id: pulumi.Output[str]
    answer: pulumi.Output[dict[str, Any]]
    """All that the function answered."""

    def __init__(self, name: str, args: OpenAIProjectArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("myflux:index:OpenAIProject", name, None, opts)
        invocation = Invocation(
            f"{name}-invocation",
            function_name=args.provisioner_function,
            # An issuer in it is the platform's output.
            input=pulumi.Output.json_dumps(args.specification, sort_keys=True),
            lifecycle_scope="CRUD",
            # Archiving a project is final: https://platform.openai.com/docs/api-reference/projects/archive
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )

        self.answer = invocation.result.apply(json.loads)
        self.project_id = self.answer.apply(lambda answer: str(answer["project_id"]))
        self.service_account_id = self.answer.apply(lambda answer: str(answer["service_account_id"]))
        self.register_outputs({"project_id": self.project_id, "service_account_id": self.service_account_id})
