"""Every resource of a stack is one that the rules can read.

Owns the packages whose resources they read, and the types that make further resources of AWS out of sight. Leaves out
functions, builds and automations that a stack deploys: what those do later is limited by their roles, whose policies
are read (`identity`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .config import Config
from .model import Finding, Rule, Stack, violation

_READ: Final = frozenset({"aws", "myflux", "pulumi"})
"""Pulumi's own package has stacks, references to stacks, and providers."""
_HARMLESS: Final = frozenset({"random", "time"})
"""Their resources exist in the state alone."""
WRAPPERS: Final = frozenset(
    {
        "aws:cfg/conformancePack:ConformancePack",
        "aws:cfg/organizationConformancePack:OrganizationConformancePack",
        "aws:cloudcontrol/resource:Resource",
        "aws:cloudformation/cloudFormationType:CloudFormationType",
        "aws:cloudformation/stack:Stack",
        "aws:cloudformation/stackInstances:StackInstances",
        "aws:cloudformation/stackSet:StackSet",
        "aws:cloudformation/stackSetInstance:StackSetInstance",
        "aws:sagemaker/project:Project",
        "aws:serverlessrepository/cloudFormationStack:CloudFormationStack",
        "aws:servicecatalog/provisionedProduct:ProvisionedProduct",
        "aws:ssm/quicksetupConfigurationManager:QuicksetupConfigurationManager",
    }
)
"""They make resources from a template or a description, most with the deployment's own permissions."""


def _readable(stack: Stack, config: Config) -> Iterator[Finding]:
    for resource in stack:
        package = resource.type.partition(":")[0]
        if resource.component or resource.type in config.accepted_types or package in _HARMLESS:
            continue
        if package not in _READ:
            yield violation(resource, "", f"the rules cannot read resources of the package {package}")
        elif resource.type in WRAPPERS:
            yield violation(resource, "", "it makes resources that the rules do not see")


READABLE_RULES: Final = (
    Rule(
        name="resources-in-sight",
        severity="critical",
        level="mandatory",
        description="The stack has only resources that these rules can read: those of the AWS provider, without types "
        "such as CloudFormation stacks that make other resources out of sight, and components.",
        rationale="A template, Cloud Control, another provider or a dynamic one can create a role or policy that reads "
        "every tenant's key, and no rule sees it.",
        fix="Use the types of the `aws` package, or deploy it from a stack of its own. A type that a reviewer has "
        "accepted belongs in the pack's `acceptedTypes`.",
        source="https://www.pulumi.com/docs/iac/concepts/providers/dynamic-providers/",
        check=_readable,
        scope="resource",
        settings=("accepted_types",),
    ),
)
