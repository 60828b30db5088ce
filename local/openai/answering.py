"""A model's answer, and what it costs the project.

Owns the order of checks on a model call, the text of the answer, and the recording of tokens, costs and spend alerts.
Leaves out the format of requests and responses (`routes/chat.py`, `routes/responses.py`). The answer repeats the
question, so that tests can compare both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from local.openai import errors
from local.openai.call import Call
from local.openai.catalogue import MODELS, Model, count_tokens
from local.openai.state import AccessToken, ApiKey, Project, Usage, User, month

PER_MESSAGE_TOKENS = 3
"""The tokens that OpenAI's chat format adds to each message."""


_EFFORTS: Final = {"minimal": 16, "low": 64, "medium": 256, "high": 1024, "xhigh": 4096, "max": 16384}
"""Reasoning tokens by effort: round numbers. A real model's depend on the question."""


@dataclass(frozen=True)
class Asked:
    """What a request says of its price: the effort of reasoning, None for none, and the tier, ``default`` or
    ``flex``."""

    effort: str | None = None
    tier: str = "default"


@dataclass(frozen=True)
class Completion:
    """`cut`: the answer was longer than the caller's limit. `headers` are the `x-ratelimit-*` headers. Cached tokens
    are among the input's, and reasoning tokens among the output's."""

    model: Model
    pieces: list[str]
    input_tokens: int
    output_tokens: int
    cut: bool
    headers: dict[str, str]
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    tier: str = "default"

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def offered(call: Call, model: Model) -> bool:
    """False if the model has been shut down and the settings apply shutdowns."""
    return not (call.organization.settings.shut_models_down and model.shut_down(call.now))


def usable_model(call: Call, name: str, *, chats: bool = True) -> tuple[Project, Model]:
    """`chats`: whether the endpoint takes models that answer with text, or those that embed."""
    assert call.api_key is not None
    project = call.organization.projects[call.api_key.project_id]
    model = MODELS.get(name)
    if model is None or not offered(call, model):
        raise errors.model_not_found(name)
    if not project.may_use(name):
        raise errors.model_denied(project.id, name)
    if model.chats != chats:
        raise errors.not_a_chat_model() if chats else errors.not_an_embedding_model(name)
    return project, model


def refuse_unpaid(call: Call, project: Project) -> None:
    """Raises OpenAI's error if the service tier, the balance or a limit of organization or project refuses the call."""
    call.refuse_by_fault("tier_refused", "balance_gone", "project_limit", "quota_unnamed")
    organization = call.organization
    whole = organization.spent_by_all_cents(call.now)
    if organization.spend_limit_cents is not None and whole >= organization.spend_limit_cents:
        raise errors.spent("organization_spend_limit_exceeded")
    approved = organization.settings.usage_limit_cents
    if approved is not None and whole >= approved:
        raise errors.spent("organization_usage_limit_exceeded")
    limit = project.applied_spend_limit(call.now)
    if limit is not None and organization.spent_cents(project.id, call.now) >= limit:
        raise errors.spent("project_spend_limit_exceeded")


def complete(
    call: Call, project: Project, model: Model, messages: list[str], longest: int | None, asked: Asked = Asked()
) -> Completion:
    """Answers the last of `messages`; `longest` is in tokens. A refused call records no tokens and no costs."""
    if call.batch and not model.batch:
        raise errors.not_for_batch(model.id)
    if asked.tier == "flex" and not model.flex:
        raise errors.invalid_value("service_tier", f"'flex'. {model.id} is not offered with flex processing.")
    refuse_unpaid(call, project)
    input_tokens = sum(count_tokens(m) + PER_MESSAGE_TOKENS for m in messages)
    whole = _pieces(f"This is {model.id}. You said: {messages[-1]}")
    pieces: list[str] = []
    reasoning = _EFFORTS.get(asked.effort or "", 0) if model.reasons else 0
    output_tokens = reasoning if longest is None else min(reasoning, longest)
    for piece in whole:
        tokens = count_tokens(piece)
        if longest is not None and output_tokens + tokens > longest:
            break
        pieces.append(piece)
        output_tokens += tokens
    tokens = input_tokens + output_tokens
    headers = _paced(call, project, model, tokens)
    cached = call.emulator.prompts.read(project.id, model.id, messages, call.now)
    if call.batch and not model.caches_in_batch:
        cached = 0
    _book(call, project, model, input_tokens, output_tokens, cached, tier=asked.tier)
    cut = len(pieces) < len(whole)
    return Completion(model, pieces, input_tokens, output_tokens, cut, headers, cached, reasoning, asked.tier)


def embed(call: Call, project: Project, model: Model, texts: list[str]) -> tuple[int, dict[str, str]]:
    """The tokens of `texts`, booked, and the headers. A refused call books nothing."""
    refuse_unpaid(call, project)
    tokens = sum(count_tokens(text) for text in texts)
    headers = _paced(call, project, model, tokens)
    _book(call, project, model, tokens, 0)
    return tokens, headers


def _paced(call: Call, project: Project, model: Model, tokens: int) -> dict[str, str]:
    """The headers of the rate limits, which a batch does not use up: it has a limit of its own."""
    if call.batch:
        return {}
    organization = call.organization.settings.organization_id
    return call.emulator.model_pace.spend(project, model, tokens, call.now, organization)


def _pieces(text: str) -> list[str]:
    """The text in the parts that a stream sends: one word each, with the space before it."""
    words = text.split(" ")
    return [words[0], *(f" {word}" for word in words[1:])]


def _key_id(call: Call, key: ApiKey) -> str | None:
    """An access token is no key: what usage shows in its place is a setting."""
    if not isinstance(key, AccessToken):
        return key.id
    return key.rule_id if call.organization.settings.rule_id_in_usage else None


def _book(
    call: Call,
    project: Project,
    model: Model,
    input_tokens: int,
    output_tokens: int,
    cached_tokens: int = 0,
    *,
    tier: str = "default",
) -> None:
    assert call.api_key is not None
    owner, half = call.api_key.owner, call.batch or tier == "flex"
    call.organization.record_usage(
        Usage(
            at=call.at,
            project_id=project.id,
            api_key_id=_key_id(call, call.api_key),
            user_id=owner.id if isinstance(owner, User) else None,
            model=model.id,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            input_cost=model.cost(input_tokens, 0, cached_tokens, half=half),
            output_cost=model.cost(0, output_tokens, half=half),
            cached_tokens=cached_tokens,
            batch=call.batch,
            service_tier=tier,
        )
    )
    spent = call.organization.spent_cents(project.id, call.now)
    this_month = month(call.now)
    for alert in project.spend_alerts.values():
        if spent >= alert.threshold_amount and this_month not in alert.sent_in:
            alert.sent_in.add(this_month)
            call.organization.alerts_sent.append(
                {
                    "alert_id": alert.id,
                    "project_id": project.id,
                    "threshold_amount": alert.threshold_amount,
                    "recipients": alert.recipients,
                    "subject_prefix": alert.subject_prefix,
                    "at": call.at,
                }
            )
