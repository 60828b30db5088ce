"""Stacks as the rules see them, without an engine: rehearsed, turned into resources, and changed by a test."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ops.review import judging
from ops.review.rehearsal import Registered, rehearse
from policies.guardrails.config import Config
from policies.guardrails.judge import RULES
from policies.guardrails.model import Finding, Resource
from program import ROOT
from tests.policies.forms import judge as judge

STACKS = ("local", "acme.local", "fjord.local", "globex.local", "initech.local")


@cache
def stack(name: str, deployed: bool = True, root: Path = ROOT) -> tuple[Resource, ...]:
    return tuple(judging.resources(registered(name, deployed, root)))


@cache
def registered(name: str, deployed: bool = True, root: Path = ROOT) -> tuple[Registered, ...]:
    return tuple(rehearse(name, root, deployed=deployed))


def changed(resources: tuple[Resource, ...], name: str, /, **properties: Any) -> tuple[Resource, ...]:
    """`resources` with some properties of the one called `name` set; None takes one away."""
    assert name in {one.name for one in resources}, f"no {name} among {sorted(one.name for one in resources)}"

    def set_(one: Resource) -> Resource:
        merged: Mapping[str, Any] = {**one.properties, **properties}
        kept = {key: value for key, value in merged.items() if value is not None}
        asked = {key: one.property_dependencies.get(key, frozenset()) for key in kept}
        return replace(one, properties=kept, property_dependencies=asked)

    return tuple(set_(one) if one.name == name else one for one in resources)


def edited(resources: tuple[Resource, ...], name: str, path: str, edit: Callable[[Any], None]) -> tuple[Resource, ...]:
    """`resources` with the policy document at `path` of the one called `name` changed by `edit`."""
    document = json.loads(next(one for one in resources if one.name == name).text(path))
    edit(document)
    return changed(resources, name, **{path: json.dumps(document)})


def without(resources: tuple[Resource, ...], *names: str) -> tuple[Resource, ...]:
    left = tuple(one for one in resources if one.name not in names)
    assert len(left) == len(resources) - len(names), f"{names} are not all there"
    return left


def resource(type_: str, called: str = "thing", /, **properties: Any) -> Resource:
    asked = dict.fromkeys(properties, frozenset[str]())
    return Resource(f"urn:pulumi:dev::p::{type_}::{called}", type_, called, properties, property_dependencies=asked)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def broken(resources: tuple[Resource, ...] | list[Resource], config: Config | None = None) -> dict[str, str]:
    """Rule to kind of finding, of all rules that found something."""
    return {finding.rule: finding.kind for finding in judge(resources, config)}


def findings(
    rule: str, resources: tuple[Resource, ...] | list[Resource], config: Config | None = None
) -> list[Finding]:
    (asked,) = [one for one in RULES if one.name == rule]
    return judge(resources, config, [asked])
