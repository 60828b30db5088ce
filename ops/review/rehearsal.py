"""What a stack's program registers, without an engine, an account, a credential or a state.

Owns running the program against Pulumi's mocks. Leaves out what AWS answers (`answers`). A rehearsal does not
read what is deployed: it shows what the files describe, not what would change. A process can run only one at a time,
because the SDK has one connection to the engine for the whole process.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

import pulumi
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import get_root_resource, reset_options
from pulumi.runtime.stack import Stack, massage, run_pulumi_func

import program
import tenancy
from myflux_keys.aws_names import CellNames
from ops.review import answers
from ops.review.file_line import Place
from ops.review.registered import Registered as Registered
from ops.review.registered import files

_PROJECT: Final = "myflux-keys"
_ORGANIZATION: Final = "organization"
"""The organization's name in every backend except Pulumi Cloud."""
_STACK: Final = "pulumi:pulumi:Stack"
_PROVIDER: Final = "pulumi:providers:"
_REFERENCE: Final = "pulumi:pulumi:StackReference"
_ANY_LOCAL_OPENAI: Final = "http://127.0.0.1:9/v1"
"""A placeholder for the address of a local cell, which need not run: nothing is sent there."""


def rehearse(stack: str, root: Path = program.ROOT, *, deployed: bool = True) -> Sequence[Registered]:
    """Every resource of `stack`, by URN: the SDK registers in no fixed order. `root` holds tenants/ and cells/.

    With `deployed` every id and ARN is known, as while deploying; without it they are not, as in the first preview.
    Raises what the program raises for files that are wrong, and answers.NoAnswerError.
    """
    tenant, _, cell_slug = stack.rpartition(".")
    cell = tenancy.load(root, only=tenant).cells.get(cell_slug)
    names = cell.names if cell else CellNames(cell_slug, "000000000000", "us-east-1")
    deploy = partial(program.deploy, root, local_openai_url=_ANY_LOCAL_OPENAI)
    return _run(deploy, stack, names, deployed=deployed)


def _run(deploy: Callable[[], None], stack: str, names: CellNames, *, deployed: bool) -> Sequence[Registered]:
    aws = _Aws(names, deployed=deployed)
    monitor = _Monitor(aws, stack)

    def mocked() -> None:
        mocks.set_mocks(
            aws, project=_PROJECT, stack=stack, preview=not deployed, monitor=monitor, organization=_ORGANIZATION
        )

    def deployed_with_exports() -> None:
        deploy()
        # The mocks' stack is made, with no outputs, before the program runs; the engine's runs the program.
        made = cast(Stack, get_root_resource())
        made.register_outputs(cast(dict[str, Any], massage(made.outputs, [])))

    try:
        run(mocked, deployed_with_exports)
    finally:
        reset_options()
    return sorted(monitor.with_outputs(), key=lambda found: found.urn)


def run(mocked: Callable[[], None], deploy: Callable[[], None]) -> None:
    """`deploy` to its end, after `mocked` has set the mocks, on an event loop of its own. Raises what it raises."""

    async def drained() -> None:
        mocked()
        await run_pulumi_func(deploy)

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        try:
            runner.run(drained())
        except BaseException:
            _hear(loop)
            raise


def _hear(loop: asyncio.AbstractEventLoop) -> None:
    """Reads the exception of every failed future of `loop`.

    The SDK gives a program's refusal to each output of each resource, and nobody asks them. Python would complain of
    every one whenever its garbage collector comes by, long after the refusal was told.
    """
    # By `type`: `isinstance` asks an object for its class, and the SDK's lazy modules load when they are asked.
    for future in [found for found in gc.get_objects() if issubclass(type(found), asyncio.Future)]:
        if future.get_loop() is loop and future.done() and not future.cancelled():
            future.exception()


class _Aws(mocks.Mocks):
    def __init__(self, names: CellNames, *, deployed: bool) -> None:
        self._names = names
        self._deployed = deployed

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise answers.NoAnswerError(f"the program looks up {args.token}, but this review runs without an AWS account.")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        inputs = cast(dict[str, Any], args.inputs)  # pyright: ignore[reportUnknownMemberType]
        if args.typ == _REFERENCE:
            # A tenant's stack is reviewed as if its platform were deployed.
            return args.name, {**inputs, "outputs": answers.platform(self._names), "secretOutputNames": []}
        if not self._deployed and not args.typ.startswith(_PROVIDER):
            return "", dict(inputs)
        id_, outputs = answers.answer(self._names, args.typ, args.name, inputs)
        return id_, {**inputs, **outputs}


class _Monitor(mocks.MockMonitor):
    def __init__(self, aws: _Aws, stack: str) -> None:
        super().__init__(aws)
        self._stack = stack
        self._registered: list[Registered] = []
        self._outputs: dict[str, dict[str, Any]] = {}

    def with_outputs(self) -> list[Registered]:
        """The resources, with what components and the stack register as outputs once they are all made."""
        return [replace(one, outputs=self._outputs.get(one.urn, one.outputs)) for one in self._registered]

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine makes them, with every parent's type but the stack's. The SDK's own word for the stack is not
        known yet to the threads of a process's first rehearsal."""
        above = parent.split("::")[2] if parent else _STACK
        kind = type_ if above == _STACK else f"{above}${type_}"
        return f"urn:pulumi:{self._stack}::{_PROJECT}::{kind}::{name}"

    def SupportsFeature(self, request: Any) -> Any:  # noqa: N802 - the engine's own name
        """A resource that is a property's value comes as its id or URN, as the engine shows it to a pack."""
        answer: Any = super().SupportsFeature(request)  # pyright: ignore[reportUnknownMemberType]
        answer.hasSupport = answer.hasSupport and request.id != "resourceReferences"
        return answer

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's own name
        try:
            response: Any = super().RegisterResource(request)  # pyright: ignore[reportUnknownMemberType]
        finally:
            close_this_threads_loop()
        given = _properties(request.object)
        inputs = _open(given)
        # The SDK's mocks keep no stack.
        made = self.resources[response.urn] if request.custom else None
        state = cast(dict[str, Any], made.state) if made else {}  # pyright: ignore[reportUnknownMemberType]
        self._registered.append(
            Registered(
                urn=response.urn,
                type=request.type,
                name=request.name,
                inputs=inputs,
                id=made.id if made else "",
                outputs={key: value for key, value in state.items() if key not in inputs},
                parent=request.parent,
                provider=request.provider,
                custom=request.custom,
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                dependencies=frozenset(request.dependencies),
                property_dependencies={
                    name: frozenset(found.urns) for name, found in request.propertyDependencies.items()
                },
                secret=frozenset(key for key, value in given.items() if rpc.is_rpc_secret(value)),
                ignore_changes=tuple(sorted(request.ignoreChanges)),
                place=_place(request.stackTrace.frames),
            )
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the engine's own name
        self._outputs.setdefault(request.urn, {}).update(_open(_properties(request.outputs)))
        answer: Any = super().RegisterResourceOutputs(request)  # pyright: ignore[reportUnknownMemberType]
        return answer

    def ReadResource(self, request: Any) -> Any:  # noqa: N802 - the engine's own name
        try:
            return super().ReadResource(request)  # pyright: ignore[reportUnknownMemberType]
        finally:
            close_this_threads_loop()


def _place(frames: Sequence[Any]) -> Place | None:
    """The innermost line of this repository among the calls that led to a resource."""
    for frame in frames:
        path = Path(unquote(urlsplit(cast(str, frame.pc.uri)).path))
        if path.is_relative_to(program.ROOT) and "site-packages" not in path.parts:
            return Place(path.relative_to(program.ROOT).as_posix(), frame.pc.line)
    return None


def _properties(sent: Any) -> dict[str, Any]:
    return _ordered(rpc.deserialize_properties(sent, keep_unknowns=True))


def _open(given: Mapping[str, Any]) -> dict[str, Any]:
    """Also what is marked as secret: the mark keeps nothing out of the state."""
    return {key: _recorded(rpc.unwrap_rpc_secret(value)) for key, value in given.items()}


def _recorded(value: Any) -> Any:
    if isinstance(value, pulumi.Asset | pulumi.Archive):
        return files(value)
    if isinstance(value, dict):
        return {key: _recorded(one) for key, one in cast(dict[str, Any], value).items()}
    return [_recorded(one) for one in cast(list[Any], value)] if isinstance(value, list) else value


def _ordered(value: Any) -> Any:
    """Maps by key: protobuf keeps none."""
    if isinstance(value, dict):
        found = cast(dict[str, Any], value)
        return {key: _ordered(found[key]) for key in sorted(found)}
    return [_ordered(one) for one in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


def close_this_threads_loop() -> None:
    """The SDK's mocks open an event loop on each worker thread that answers a request, and leave it open."""
    try:
        loop = asyncio.get_event_loop()
    except RuntimeError:
        return
    loop.close()
    asyncio.set_event_loop(None)
