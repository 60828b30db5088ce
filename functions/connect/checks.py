"""The live checks of a pasted key: real calls with the key itself, each finding in a code that the page has words for.

Owns which calls are made, and what each answer means for the customer. OpenAI has no endpoint that tells a key's
permissions, balance or limits, so lookups of models, which cost nothing, and one short answer of the default model show
them. That answer is asked for last, only when nothing else is wrong, and never repeated here: OpenAI bills it. What a
key cannot see is said to be unseen. An answer that says nothing about the key is UNKNOWN, never BAD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from functions.connect.paste import Pasted
from functions.health.causes import Cause, cause
from functions.shared.deadline import Deadline
from functions.shared.openai_http import OpenAIError, OpenAIHTTP, path
from myflux_keys.payload import SecretText

NAMES: Final = ("shape", "accepted", "owner", "permissions", "models", "balance", "spend_limit", "rate_limits")
"""In the page's order."""
LOOKUP_SECONDS: Final = 6.0
ANSWER_SECONDS: Final = 12.0
KEEP_SECONDS: Final = 3.0
"""Of the invocation, for what is written after the calls."""
FEW_REQUESTS: Final = 60
"""A minute. Below it, a few callers at once reach OpenAI's limit: the free tier has single digits."""


class State(Enum):
    GOOD = "good"
    BAD = "bad"
    """The customer must change something."""
    NOTE = "note"
    """Works, and is worth knowing."""
    UNKNOWN = "unknown"
    """Could not be checked now. Says nothing about the key."""
    UNSEEN = "unseen"
    """No key can see it."""
    WAITING = "waiting"
    """Looked at once what stands before it is right."""


@dataclass(frozen=True)
class Check:
    """`reason` is a code under `name` in the page's language files; `facts` fill its sentence."""

    name: str
    state: State
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "state": self.state.value, "reason": self.reason, "facts": dict(self.facts)}


@dataclass(frozen=True)
class Answered:
    """What the billed call showed of the limits: requests and tokens a minute, None where OpenAI did not say. Kept with
    the link, so that the same key is not billed again."""

    requests: int | None
    tokens: int | None


@dataclass(frozen=True)
class Checked:
    """`answered` is set once the billed call was answered, now or before."""

    checks: tuple[Check, ...]
    answered: Answered | None

    @property
    def passed(self) -> bool:
        """Whether the key may be handed in: all that a key shows is right."""
        return all(check.state in (State.GOOD, State.NOTE, State.UNSEEN) for check in self.checks)


def shape(pasted: Pasted) -> Checked | None:
    """The findings of a text that holds no key, for which no call is made; None if there is a key."""
    if pasted.fault is None:
        return None
    facts = {"vendor": pasted.vendor} if pasted.vendor else {}
    return _complete([Check("shape", State.BAD, pasted.fault, facts)], None)


def check(
    http: OpenAIHTTP, deadline: Deadline, pasted: Pasted, models: Sequence[str], before: Answered | None
) -> Checked:
    """`pasted` holds a key; `models` has the default model first. `before`: the billed call was answered earlier with
    this key, and is not made again."""
    assert pasted.key is not None
    found = [Check("shape", State.GOOD, "ok")]
    looked_up: dict[str, Cause] = {}
    for model in models:
        looked_up[model] = _ask(http, deadline, pasted.key, model)
        accepted = _accepted(looked_up[model])
        if accepted.state is not State.GOOD:
            return _complete([*found, accepted], None)
    found += [Check("accepted", State.GOOD, "ok"), _owner(pasted), _models(looked_up)]
    if any(one.state is State.BAD for one in found):
        return _complete(found, None)
    if before is not None:
        return _complete([*found, *_after_an_answer(before)], before)
    said = _answer(http, deadline, pasted.key, models[0])
    if said is not Cause.OK:
        refused = _refused(said, models[0])
        return _complete([*(one for one in found if one.name != refused.name), refused], None)
    limits = http.rate_limits
    answered = Answered(limits.get("requests"), limits.get("tokens"))
    return _complete([*found, *_after_an_answer(answered)], answered)


def _ask(http: OpenAIHTTP, deadline: Deadline, key: SecretText, model: str) -> Cause:
    """A lookup that got no answer is repeated once, while there is time: it costs nothing."""
    said = Cause.UNANSWERED
    for _ in range(2):
        if deadline.remaining() < KEEP_SECONDS + 1:
            break
        said = _cause(http, "GET", path("/models/{model}", model=model), key, None, _bound(deadline, LOOKUP_SECONDS))
        if said is not Cause.UNANSWERED:
            break
    return said


def _answer(http: OpenAIHTTP, deadline: Deadline, key: SecretText, model: str) -> Cause:
    if deadline.remaining() < KEEP_SECONDS + 1:
        return Cause.UNANSWERED
    body = {"model": model, "input": "Say yes.", "max_output_tokens": 16, "store": False}
    return _cause(http, "POST", "/responses", key, body, _bound(deadline, ANSWER_SECONDS))


def _cause(
    http: OpenAIHTTP, method: str, target: str, key: SecretText, body: Mapping[str, Any] | None, seconds: float
) -> Cause:
    try:
        http.send(method, target, key, body=body, seconds=seconds)
    except OpenAIError as error:
        return cause(error)
    return Cause.OK


def _bound(deadline: Deadline, seconds: float) -> float:
    return min(seconds, deadline.remaining() - KEEP_SECONDS)


def _accepted(said: Cause) -> Check:
    """A key that may not look up models, or does not get this one, is a key that OpenAI accepts."""
    if said in (Cause.OK, Cause.SCOPES_MISSING, Cause.MODEL_REFUSED):
        return Check("accepted", State.GOOD, "ok")
    if said is Cause.KEY_REFUSED:
        return Check("accepted", State.BAD, "refused")
    if said is Cause.ADDRESS_REFUSED:
        return Check("accepted", State.BAD, "address")
    return Check("accepted", State.UNKNOWN, "country" if said is Cause.COUNTRY_REFUSED else "not_now")


def _owner(pasted: Pasted) -> Check:
    if pasted.owner == "service_account":
        return Check("owner", State.GOOD, "ok")
    return Check("owner", State.BAD, "person")


def _models(looked_up: Mapping[str, Cause]) -> Check:
    missing = [model for model, said in looked_up.items() if said is Cause.MODEL_REFUSED]
    if missing:
        return Check("models", State.BAD, "missing", {"models": missing})
    unseen = [model for model, said in looked_up.items() if said is Cause.SCOPES_MISSING]
    if unseen:
        return Check("models", State.UNSEEN, "no_list", {"models": unseen})
    return Check("models", State.GOOD, "ok", {"models": list(looked_up)})


def _after_an_answer(answered: Answered) -> list[Check]:
    return [
        Check("permissions", State.GOOD, "ok"),
        Check("balance", State.GOOD, "ok"),
        Check("spend_limit", State.UNSEEN, "not_reached"),
        _rate_limits(answered),
    ]


def _rate_limits(answered: Answered) -> Check:
    if answered.requests is None:
        return Check("rate_limits", State.UNSEEN, "unsaid")
    facts = {"requests": answered.requests, "tokens": answered.tokens}
    few = answered.requests < FEW_REQUESTS
    return Check("rate_limits", State.NOTE if few else State.GOOD, "few" if few else "ok", facts)


_REFUSALS: Final = {
    Cause.SCOPES_MISSING: ("permissions", State.BAD, "missing"),
    Cause.BALANCE_GONE: ("balance", State.BAD, "empty"),
    Cause.QUOTA_UNNAMED: ("balance", State.BAD, "quota"),
    Cause.ORGANIZATION_SPEND_LIMIT: ("spend_limit", State.BAD, "organization"),
    Cause.PROJECT_SPEND_LIMIT: ("spend_limit", State.BAD, "project"),
    Cause.ORGANIZATION_USAGE_LIMIT: ("spend_limit", State.BAD, "tier"),
    Cause.MODEL_REFUSED: ("models", State.BAD, "missing"),
    Cause.KEY_REFUSED: ("accepted", State.BAD, "refused"),
    Cause.ADDRESS_REFUSED: ("accepted", State.BAD, "address"),
    Cause.RATE_LIMITED: ("rate_limits", State.UNKNOWN, "busy"),
}


def _refused(said: Cause, model: str) -> Check:
    """Of the billed call. What has no row here says nothing about the key."""
    name, state, reason = _REFUSALS.get(said, ("balance", State.UNKNOWN, "not_now"))
    return Check(name, state, reason, {"models": [model]} if name == "models" else {})


def _complete(found: Sequence[Check], answered: Answered | None) -> Checked:
    """All rows in the page's order; those without a finding wait."""
    by_name = {check.name: check for check in found}
    rows = [by_name.get(name) or Check(name, State.WAITING, "waiting") for name in NAMES]
    return Checked(tuple(rows), answered)
