"""Starting a policy pack with the stack's name and configuration in its environment.

The engine sends both only to a running pack (`ConfigureStack`), but a Python pack reads them from its environment when
it starts. So a proxy answers the engine first, starts the real pack once it has both, and forwards every other call
unchanged.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, cast

import grpc
from pulumi.runtime.proto import analyzer_pb2

_SERVICE: Final = "/pulumirpc.Analyzer/"
_UNLIMITED: Final = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


class PackNotReady(RuntimeError):
    """The pack ended before its first request."""


class PolicyPackFront(grpc.GenericRpcHandler):
    """Listens on `port` for the engine. `launch` starts the pack with more variables and returns its port."""

    def __init__(self, launch: Callable[[Mapping[str, str]], int]) -> None:
        self._launch = launch
        self._lock = threading.Lock()
        self.refused = threading.Event()
        """Set once the engine has the refusal of a pack that did not start."""
        self._channel: grpc.Channel | None = None
        self._server = grpc.server(ThreadPoolExecutor(max_workers=16), options=_UNLIMITED)
        self._server.add_generic_rpc_handlers((self,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def stop(self) -> None:
        self._server.stop(None).wait()
        with self._lock:
            if self._channel is not None:
                self._channel.close()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        method = str(handler_call_details.method)
        # None means "unimplemented": the pack has no handshake, and has not started yet.
        if not method.startswith(_SERVICE) or method == f"{_SERVICE}Handshake":
            return None
        forward = self._configure if method == f"{_SERVICE}ConfigureStack" else self._pass

        def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
            return forward(method, request, context)

        return grpc.unary_unary_rpc_method_handler(handle)

    def _configure(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        stack = stack_variables(analyzer_pb2.AnalyzerStackConfigureRequest.FromString(request))
        return self._answer(method, request, context, stack)

    def _pass(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        return self._answer(method, request, context, {})

    def _answer(self, method: str, request: bytes, context: grpc.ServicerContext, stack: Mapping[str, str]) -> bytes:
        try:
            return cast("bytes", self._connect(stack).unary_unary(method)(request))
        except PackNotReady as error:
            context.add_callback(self.refused.set)
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except grpc.RpcError as error:
            context.abort(error.code(), error.details() or "")

    def _connect(self, variables: Mapping[str, str]) -> grpc.Channel:
        with self._lock:
            if self._channel is None:
                self._channel = grpc.insecure_channel(f"127.0.0.1:{self._launch(variables)}", options=_UNLIMITED)
            return self._channel


def stack_variables(request: Any) -> dict[str, str]:
    """The variables that a pack's SDK reads when it starts, without empty ones, which mean absent."""
    values = {
        "PULUMI_ORGANIZATION": request.organization,
        "PULUMI_PROJECT": request.project,
        "PULUMI_STACK": request.stack,
        "PULUMI_DRY_RUN": "true" if request.dry_run else "false",
        "PULUMI_CONFIG": json.dumps(dict(request.config)) if request.config else "",
    }
    return {name: value for name, value in values.items() if value}
