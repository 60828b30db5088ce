"""Builds components against a monitor that records what the engine would be asked, dependencies included."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pytest
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime import rpc

from myflux_keys.aws_names import CellNames
from ops.review import rehearsal


@dataclass
class Registered:
    urn: str
    type: str
    name: str
    inputs: dict[str, Any]
    parent: str
    depends_on: set[str]
    protect: bool
    retain_on_delete: bool
    imported: str


@dataclass
class Recording:
    resources: list[Registered] = field(default_factory=list)

    def of(self, type_: str) -> list[Registered]:
        return [r for r in self.resources if r.type == type_]

    def one(self, type_: str, name_ends: str = "") -> Registered:
        found = [r for r in self.of(type_) if r.name.endswith(name_ends)]
        assert len(found) == 1, f"expected one {type_} named …{name_ends}, found {[r.name for r in found]}"
        return found[0]

    def reaches(self, later: Registered, earlier: Registered) -> bool:
        """Whether the engine is bound to make `earlier` before `later`, through any chain of dependencies."""
        by_urn = {r.urn: r for r in self.resources}
        seen: set[str] = set()
        queue = [later.urn]
        while queue:
            urn = queue.pop()
            if urn == earlier.urn:
                return True
            if urn not in seen and urn in by_urn:
                seen.add(urn)
                queue.extend(by_urn[urn].depends_on)
        return False


class Engine(pulumi_mocks.Mocks):
    """Answers as AWS would: ids and ARNs. Whatever else is asked is an error, never a silent empty answer."""

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs = dict(args.inputs)
        outputs["arn"] = f"arn:aws:mock:eu-central-1:111122223333:{args.name}"
        if args.typ == "aws:kms/key:Key":
            outputs["keyId"] = f"{args.name}-id"
        if args.typ == "aws:lambda/invocation:Invocation":
            answer: dict[str, Any] = {"project_id": "proj_1", "service_account_id": "svc_1"}
            if "federation" in json.loads(args.inputs["input"]):
                answer |= {"federation": {"provider_id": "idp_1", "rule_id": "idpm_1"}}
                answer |= {"base_url": "https://api.openai.com/v1"}
            outputs["result"] = json.dumps(answer)
        if args.typ == "aws:iam/outboundWebIdentityFederation:OutboundWebIdentityFederation":
            outputs["issuerIdentifier"] = "https://issuer.example"
        return f"{args.name}-id", outputs

    def call(self, args: pulumi_mocks.MockCallArgs) -> Any:
        raise AssertionError(f"a component looked up {args.token}: everything must follow from its arguments")


class Monitor(pulumi_mocks.MockMonitor):
    def __init__(self, recording: Recording) -> None:
        super().__init__(Engine())
        self.recording = recording

    def RegisterResource(self, request: Any) -> Any:
        try:
            response = super().RegisterResource(request)
        finally:
            rehearsal.close_this_threads_loop()
        if request.type != "pulumi:pulumi:Stack":
            depends_on = set(request.dependencies)
            for of_property in request.propertyDependencies.values():
                depends_on.update(of_property.urns)
            self.recording.resources.append(
                Registered(
                    response.urn,
                    request.type,
                    request.name,
                    rpc.deserialize_properties(request.object),
                    request.parent,
                    depends_on,
                    request.protect,
                    request.retainOnDelete,
                    request.importId,
                )
            )
        return response


@pytest.fixture(scope="session")
def build() -> Callable[[Callable[[], Any]], Recording]:
    """What is recorded never changes: a module may keep it for its tests."""

    def run(program: Callable[[], Any]) -> Recording:
        recording = Recording()

        def mocked() -> None:
            pulumi.runtime.set_mocks(Engine(), project="myflux-keys", stack="test", monitor=Monitor(recording))

        try:
            rehearsal.run(mocked, program)
        finally:
            pulumi.runtime.settings.reset_options()
        assert recording.resources, "the program registered nothing"
        return recording

    return run


@pytest.fixture(scope="session")
def cell() -> CellNames:
    return CellNames("prod-eu1", "111122223333", "eu-central-1")
