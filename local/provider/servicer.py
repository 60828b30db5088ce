# ruff: noqa: ARG002, N802 - names and signatures are the protocol's
"""The engine's ResourceProvider protocol, version 1, over gRPC.

Owns the conversion of requests to calls of `check`, `diff` and `lifecycle`, and of their results to responses. Leaves
out every rule of AWS. Handlers run in a thread pool; the only state is the configuration, set once by Configure.
Protocol: `proto/pulumi/provider.proto` of Pulumi 3.250.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as wire

from local.provider import lifecycle
from local.provider.answers import abort_partial, changes, diff_response, refuse_unknown
from local.provider.aws import Aws, Refused
from local.provider.check import Naming, check
from local.provider.configuration import parse, refusals
from local.provider.diff import diff
from local.provider.invokes import invoke
from local.provider.model import Resource
from local.provider.package import schema_text
from local.provider.registry import VERSION, find
from local.provider.values import conceal, from_wire, reveal, to_wire

_Answer = TypeVar("_Answer")


def type_token(request: Any) -> str:
    """The type without the parent types that may precede it: ``my:index:Parent$aws:sqs/queue:Queue``."""
    token: str = request.type or str(request.urn).split("::")[2]
    return token.rsplit("$", 1)[-1]


def resource_name(request: Any) -> str:
    return request.name or str(request.urn).rsplit("::", 1)[-1]


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self) -> None:
        self._aws: Aws | None = None
        self._cancelled = threading.Event()

    # -- the plugin -------------------------------------------------------------------------------------------------

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return wire.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        return wire.GetSchemaResponse(schema=schema_text())

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:
        return Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._cancelled.set()
        return Empty()

    # -- its settings -----------------------------------------------------------------------------------------------

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        failures = [wire.CheckFailure(property=name, reason=why) for name, why in refusals(from_wire(request.news))]
        return wire.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """New settings never replace the provider. For a new Region, each resource's own diff returns a replacement."""
        olds, news = from_wire(request.olds), from_wire(request.news)
        changed = sorted(name for name in olds.keys() | news.keys() if olds.get(name) != news.get(name))
        return wire.DiffResponse(changes=changes(bool(changed)), diffs=changed)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        def configure() -> Any:
            settings = from_wire(request.args)
            wrong = refusals(settings)
            if wrong:
                raise Refused("; ".join(f"{name} {why}" for name, why in wrong))
            configuration = parse(settings)
            if not configuration.region:
                raise Refused("no AWS Region: set aws:region, the provider's `region`, or AWS_REGION")
            aws = Aws(configuration, configuration.region)
            aws.guard()
            self._aws = aws
            return wire.ConfigureResponse(
                acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
            )

        return self._answer(context, configure)

    # -- resources --------------------------------------------------------------------------------------------------

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        def answer() -> Any:
            resource = find(type_token(request))
            auto = request.autonaming
            naming = Naming(
                name=resource_name(request),
                seed=request.randomSeed,
                proposed=auto.proposed_name,
                enforced=auto.mode == wire.CheckRequest.AutonamingOptions.ENFORCE,
                disabled=auto.mode == wire.CheckRequest.AutonamingOptions.DISABLE,
            )
            news = from_wire(request.news)
            tags = self._aws.configuration.default_tags if self._aws else {}
            inputs, failures = check(resource, reveal(from_wire(request.olds)), reveal(news), naming, tags)
            return wire.CheckResponse(
                inputs=to_wire(conceal(inputs, news)),
                failures=[wire.CheckFailure(property=each.property, reason=each.reason) for each in failures],
            )

        return self._answer(context, answer)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        def answer() -> Any:
            resource = find(type_token(request))
            olds, news = reveal(from_wire(request.olds)), reveal(from_wire(request.news))
            result = diff(resource, olds, news, self._configured().region, list(request.ignoreChanges))
            return diff_response(result)

        return self._answer(context, answer)

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        def answer() -> Any:
            resource, marked = find(type_token(request)), from_wire(request.properties)
            inputs = reveal(marked)
            aws = self._view(resource, inputs, request.timeout)
            if request.preview:
                state = lifecycle.predict_create(resource, inputs, aws.region)
                return wire.CreateResponse(properties=to_wire(conceal(state, marked)))
            refuse_unknown(resource, inputs)
            id, state = lifecycle.create(resource, aws, resource_name(request), inputs)
            return wire.CreateResponse(id=id, properties=to_wire(conceal(state, marked)))

        return self._answer(context, answer, request.properties)

    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        def answer() -> Any:
            resource = find(type_token(request))
            state, inputs = from_wire(request.properties), from_wire(request.inputs)
            prior = reveal(state)
            aws = self._view(resource, prior, request.timeout)
            found = lifecycle.read(resource, aws, resource_name(request), request.id, prior)
            if found is None:
                return wire.ReadResponse()
            id, seen = found
            fresh = lifecycle.inputs_of(resource, seen, reveal(inputs))
            return wire.ReadResponse(
                id=id,
                properties=to_wire(conceal(seen, state, inputs)),
                inputs=to_wire(conceal(fresh, inputs)),
            )

        return self._answer(context, answer)

    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        def answer() -> Any:
            resource = find(type_token(request))
            olds, news = from_wire(request.olds), from_wire(request.news)
            old, inputs = reveal(olds), reveal(news)
            aws = self._view(resource, old, request.timeout)
            if request.preview:
                state = lifecycle.predict_update(resource, old, inputs, aws.region)
            else:
                refuse_unknown(resource, inputs)
                state = lifecycle.update(resource, aws, resource_name(request), request.id, old, inputs)
            return wire.UpdateResponse(properties=to_wire(conceal(state, news)))

        return self._answer(context, answer, request.news)

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        def answer() -> Any:
            resource = find(type_token(request))
            state = reveal(from_wire(request.properties))
            aws = self._view(resource, state, request.timeout)
            lifecycle.delete(resource, aws, resource_name(request), request.id, state)
            return Empty()

        return self._answer(context, answer)

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        def answer() -> Any:
            result = to_wire(invoke(self._configured(), request.tok, reveal(from_wire(request.args))))
            return wire.InvokeResponse(**{"return": result})  # pyright: ignore[reportArgumentType] - a Python keyword

        return self._answer(context, answer)

    # -- what they share --------------------------------------------------------------------------------------------

    def _configured(self) -> Aws:
        if self._aws is None:
            raise Refused("the AWS provider has not been configured")
        return self._aws

    def _view(self, resource: Resource, properties: dict[str, Any], seconds: float) -> Aws:
        if self._cancelled.is_set():
            raise Refused("the engine has cancelled the update: nothing new is started")
        region = properties.get("region") if resource.regional else None
        return self._configured().view(region if isinstance(region, str) else None, seconds)

    def _answer(
        self, context: grpc.ServicerContext, work: Callable[[], _Answer], given: Struct | None = None
    ) -> _Answer:
        """`given` are the inputs of a create or an update, which may be only partly done."""
        try:
            return work()
        except Refused as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except lifecycle.Failed as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except lifecycle.Partial as error:
            abort_partial(context, error, given or Struct())
