"""The texts of messages in English: what is wrong and what to do, for each kind.

In braces: the tenant's slug, the organization's id, the cell, and the finding's values. Commands are in `remedies.py`.
"""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "key_refused": (
        "OpenAI refuses the key, so every call fails",
        "make a new key",
    ),
    "balance_gone": (
        "the credit of OpenAI organization {organization} is used up, so calls of all its projects fail",
        "add credit under Billing of the organization's settings at OpenAI",
    ),
    "organization_spend_limit": (
        "OpenAI organization {organization} reached the spend limit that its owner set, so all calls fail",
        "raise the organization's spend limit in its settings at OpenAI, or wait for the next month (UTC)",
    ),
    "organization_usage_limit": (
        "OpenAI organization {organization} reached the usage limit that OpenAI approved, so all calls fail",
        "ask OpenAI for a higher usage limit under Limits of the organization's settings",
    ),
    "quota_unnamed": (
        "OpenAI answers that the quota is used up, and does not say which",
        "look at balance and limits of the organization at OpenAI",
    ),
    "project_spend_limit": (
        "the project reached its spend limit at OpenAI, so its calls fail until the next month (UTC)",
        "raise budget.monthly_usd in tenants/{tenant}.yaml and deploy it",
    ),
    "limit_raised_waiting": (
        "the spend limit was raised, and OpenAI has not applied it everywhere yet",
        "wait; OpenAI gives no time",
    ),
    "rate_limited": (
        "calls have met the rate limit in two of three checks",
        "raise rate_limits in tenants/{tenant}.yaml and deploy it",
    ),
    "country_refused": (
        "OpenAI refuses calls from this country or region",
        "look from where the calls leave: cell {cell} calls from its AWS Region",
    ),
    "address_refused": (
        "an IP allowlist of the organization or project at OpenAI refuses the caller's address",
        "add the address to the allowlist in OpenAI's settings, or remove the list",
    ),
    "tier_refused": (
        "the project may not use the requested service tier",
        "allow the tier in the project's settings at OpenAI",
    ),
    "scopes_missing": (
        "the key lacks a permission that model calls need",
        "check `permission` in tenants/{tenant}.yaml, and make a new key",
    ),
    "models_hidden": (
        "the key may not list models, so it is not visible whether they are offered",
        "nothing, if calls work; a key with the scope api.model.read would show them",
    ),
    "model_not_allowed": (
        "OpenAI offers the model {subject}, but not to this project",
        "allow the model in the project's settings at OpenAI, or remove it from tenants/{tenant}.yaml and deploy",
    ),
    "model_retiring": (
        "OpenAI shuts the model {subject} down on {date} (days left: {days}){replacement}",
        "change `models` in tenants/{tenant}.yaml and deploy it",
    ),
    "model_retired": (
        "OpenAI has shut the model {subject} down: its calls fail{replacement}",
        "change `models` in tenants/{tenant}.yaml and deploy it",
    ),
    "openai_silent": (
        "OpenAI does not answer: {unanswered} of {asked} calls had no answer. The state of keys and models is unknown",
        "nothing here: https://status.openai.com tells OpenAI's state",
    ),
    "budget_reached": (
        "{percent} % of the month's budget is spent: {spent} of {budget} USD, {share} %, before tax",
        "if that is right, raise budget.monthly_usd in tenants/{tenant}.yaml and deploy it",
    ),
    "budget_forecast": (
        "the month will end at {low} to {high} USD before tax, above the budget of {budget} USD",
        "if that is right, raise budget.monthly_usd in tenants/{tenant}.yaml and deploy it",
    ),
    "limit_drift": (
        "OpenAI has another {limit} than the tenant's file: {actual} there, {declared} in the file",
        "deploy it with --refresh, which sets it back; if it is right, write it in tenants/{tenant}.yaml first",
    ),
    "key_expiring": (
        "the key expires at {expires} and was not replaced (hours left: {hours})",
        "make a new key",
    ),
    "rotation_late": ("the rotation is late", "rotate now"),
    "person_owned_key": (
        "the key belongs to a person, and ends with their access",
        "ask for a key of a service account, and store it",
    ),
    "token_refused": (
        "the tenant has no key, and AWS or OpenAI refuses its token",
        "deploy it with --refresh, which sets its federation rule again; docs/credentials.md has more",
    ),
    "secret_left": (
        "the tenant needs no key any more, but its secret is still there",
        "complete the switch",
    ),
    "identity_missing": (
        "the tenant has no key, and no identity to get tokens with",
        "deploy it with --refresh",
    ),
    "secret_missing": ("the tenant is declared, but has no secret", "deploy it, or remove its file"),
    "secret_deleting": (
        "the tenant is declared, but the deletion of its secret is scheduled",
        "restore it, or remove the tenant's file",
    ),
    "undeclared": ("there is a secret of a tenant that is not declared", "restore its file, or off-board it"),
    "handover_due": (
        "{subject} has not got the tenant's current key{old_ends}",
        "hand the key over: it takes a minute",
    ),
    "handover_doubted": (
        "the new key was confirmed for {subject} at {since}, but the old one is in use since, last at {used}{old_ends}",
        "hand the new key over again: perhaps another key was pasted, or it was not saved",
    ),
    "handover_last_day": (
        "the key in {subject} ends within a day, on {ends}, and the new one was not handed over",
        "hand the new key over now: after that {subject} does not work",
    ),
    "handover_missed": (
        "the old key has ended, and the new one was not handed over: {subject} does not work if it was connected",
        "hand the new key over now",
    ),
    "country_dropped": (
        "OpenAI no longer offers its API in {country}",
        "serve the tenant from elsewhere, or disable it",
    ),
}

WORDS: Final = {
    "started": "Trouble",
    "worse": "Worse",
    "ended": "Over",
    "reminder": "Reminder",
    "tenant": "tenant",
    "tenants": "tenants",
    "organization": "organization",
    "cell": "cell",
    "what": "What",
    "whose": "Whose",
    "since": "Since",
    "until": "until",
    "do": "Do",
    "type": "Type",
    "page": "Page",
    "nothing": "nothing, it is over",
    "ask": "ask the customer: only they can change it at OpenAI",
    "ask_key": "ask the customer for a new key of a service account, and store it",
    "more": "and {count} more",
    "none": "none",
    "not_known": "(id not known to us)",
    "of_first": "values of {tenant}",
    "spend limit": "spend limit",
    "models": "list of models",
    "requests/min": "number of requests a minute for {model}",
    "tokens/min": "number of tokens a minute for {model}",
    "us": "ours",
    "customer": "the customer's",
    "openai": "OpenAI's",
    "old_ends": ". The old one ends on {ends} at the latest",
    "replacement": "; OpenAI names {replacement} in its place",
    "price": " ({input_usd} USD in, {output_usd} USD out for a million tokens{price_age})",
    "price_age": "; prices of {prices_as_of}, more than 90 days old",
}
