"""Results and errors in the engine's terms."""

from __future__ import annotations

from typing import Any, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as wire
from pulumi.runtime.proto import status_pb2

from local.provider.aws import Refused
from local.provider.diff import Difference, Differences
from local.provider.lifecycle import Partial
from local.provider.model import Resource
from local.provider.values import conceal, from_wire, holds_unknown, to_wire

_KINDS = {
    ("add", False): wire.PropertyDiff.ADD,
    ("add", True): wire.PropertyDiff.ADD_REPLACE,
    ("delete", False): wire.PropertyDiff.DELETE,
    ("delete", True): wire.PropertyDiff.DELETE_REPLACE,
    ("update", False): wire.PropertyDiff.UPDATE,
    ("update", True): wire.PropertyDiff.UPDATE_REPLACE,
}


def abort_partial(context: grpc.ServicerContext, error: Partial, given: Struct) -> NoReturn:
    """Aborts with the detail ErrorResourceInitFailed, so that the engine keeps the partial state.

    `given` are the inputs as the engine sent them: values that were secret there stay secret in the state.
    """
    detail = wire.ErrorResourceInitFailed(
        id=error.id,
        properties=to_wire(conceal(error.state, from_wire(given))),
        reasons=[str(error)],
        inputs=given,
    )
    packed = AnyMessage()
    packed.Pack(detail)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error), details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, str(error))


def refuse_unknown(resource: Resource, inputs: dict[str, Any]) -> None:
    unknown = sorted(name for name, value in inputs.items() if holds_unknown(value))
    if unknown:
        raise Refused(f"{resource.type}: {', '.join(unknown)} still unknown outside of a preview")


def diff_response(result: Differences) -> wire.DiffResponse:
    return wire.DiffResponse(
        changes=changes(bool(result.found)),
        diffs=sorted(result.changed),
        replaces=sorted(result.replaces),
        detailedDiff={each.path: _property_diff(each) for each in result.found},
        hasDetailedDiff=True,
        deleteBeforeReplace=result.delete_before_replace,
    )


def _property_diff(difference: Difference) -> wire.PropertyDiff:
    return wire.PropertyDiff(kind=_KINDS[difference.kind, difference.replaces])


def changes(some: bool) -> Any:
    return wire.DiffResponse.DIFF_SOME if some else wire.DiffResponse.DIFF_NONE
