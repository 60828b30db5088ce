"""Rate limits: calls a minute for admin endpoints, requests and tokens a minute for models.

Owns the counters and the `x-ratelimit-*` headers. Leaves out where limits are set. Admin endpoints send no rate-limit
headers. Each has its own count for each organization, by method and path template, which is reset 60 s after the first
call of a window: a provider author measured 7 to 10 calls a minute in May 2026. Limits of models refill steadily, as
OpenAI documents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from local.openai import errors
from local.openai.catalogue import Model
from local.openai.state import Project

WINDOW_SECONDS = 60.0
CEILINGS: Final = {"max_requests_per_1_minute": "requests_per_minute", "max_tokens_per_1_minute": "tokens_per_minute"}
"""The API's name of a limit, and the model's field with the organization's limit."""


class AdminPace:
    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}

    def spend(self, endpoint: str, per_minute: int, now: float) -> None:
        """Counts a call to `endpoint`, or refuses it if the window's calls are used up. 0 a minute: no limit."""
        if per_minute == 0:
            return
        began, used = self._windows.get(endpoint, (now, 0))
        if now - began >= WINDOW_SECONDS:
            began, used = now, 0
        if used >= per_minute:
            raise errors.rate_limited("Rate limit reached for this endpoint. Please try again later.", kind="requests")
        self._windows[endpoint] = (began, used + 1)


@dataclass
class _Bucket:
    left: float
    at: float

    def refill(self, limit: int, now: float) -> None:
        self.left = min(limit, self.left + (now - self.at) * limit / WINDOW_SECONDS)
        self.at = now


def limit_of(project: Project, model: Model, name: str) -> int:
    """The project's own limit if it was set, otherwise the organization's."""
    own = project.rate_limits.get(model.id, {}).get(name)
    if own is not None:
        return own
    return ceiling_of(model, name)


def ceiling_of(model: Model, name: str) -> int:
    """The organization's limit. Raises KeyError for a name that is not in `CEILINGS`."""
    return getattr(model, CEILINGS[name])


class ModelPace:
    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    def spend(self, project: Project, model: Model, tokens: int, now: float, organization_id: str) -> dict[str, str]:
        """Counts one request and `tokens`, and returns the headers. If a limit is reached, refuses the request and
        counts nothing."""
        kinds = (("requests", "max_requests_per_1_minute", 1), ("tokens", "max_tokens_per_1_minute", tokens))
        headers: dict[str, str] = {}
        buckets: list[tuple[_Bucket, int]] = []
        refusal: errors.ApiError | None = None
        for kind, name, wanted in kinds:
            limit = limit_of(project, model, name)
            bucket = self._buckets.setdefault((project.id, model.id, kind), _Bucket(limit, now))
            bucket.refill(limit, now)
            short = wanted - bucket.left
            if short > 1e-9 and refusal is None:
                refusal = _refusal(kind, model.id, organization_id, limit, bucket.left, wanted, short)
            left = bucket.left if refusal else bucket.left - wanted
            headers[f"x-ratelimit-limit-{kind}"] = str(limit)
            headers[f"x-ratelimit-remaining-{kind}"] = str(max(math.floor(left), 0))
            headers[f"x-ratelimit-reset-{kind}"] = _duration((limit - left) * WINDOW_SECONDS / max(limit, 1))
            buckets.append((bucket, wanted))
        if refusal is not None:
            refusal.headers = headers | refusal.headers
            raise refusal
        for bucket, wanted in buckets:
            bucket.left -= wanted
        return headers


def _refusal(
    kind: str, model: str, organization_id: str, limit: int, left: float, wanted: int, short: float
) -> errors.ApiError:
    word = "requests per min (RPM)" if kind == "requests" else "tokens per min (TPM)"
    if wanted > limit:
        return errors.rate_limited(
            f"Request too large for {model} in organization {organization_id} on {word}: Limit {limit}, Requested "
            f"{wanted}. The input or output tokens must be reduced in order to run successfully. Visit "
            "https://platform.openai.com/account/rate-limits to learn more.",
            kind=kind,
        )
    wait = short * WINDOW_SECONDS / limit
    return errors.rate_limited(
        f"Rate limit reached for {model} in organization {organization_id} on {word}: Limit {limit}, Used "
        f"{limit - math.floor(left)}, Requested {wanted}. Please try again in {_duration(wait)}. Visit "
        "https://platform.openai.com/account/rate-limits to learn more.",
        kind=kind,
        headers={"retry-after": str(math.ceil(wait)), "retry-after-ms": str(math.ceil(wait * 1000))},
    )


def _duration(seconds: float) -> str:
    """As OpenAI writes it: 120ms, 1.5s, 6m0s."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{rest:.0f}s" if minutes else f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
