"""OpenAI's error responses: status, body and wording, one constructor for each.

Owns every error body that the emulator sends under `/v1`. Leaves out when each is raised. The wordings are from public
reports of the real API. Where no report was found, the wording is our own, and only the status and the code are
reliable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_CONSOLE_KEYS = "https://platform.openai.com/account/api-keys"


class ApiError(Exception):
    """An error response. `body` is its JSON; `headers` are added to it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body: dict[str, Any] = {"error": {"message": message, "type": type, "param": param, "code": code}}


class BareError(ApiError):
    """An error response whose `error` is a string: some endpoints, e.g. GET /v1/models, send it for missing scopes."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.body = {"error": message}


# --- authentication -----------------------------------------------------------------------------------------------


def no_key() -> ApiError:
    return ApiError(
        401,
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
        "(i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the "
        "API from your browser and are prompted for a username and password. You can obtain an API key from "
        f"{_CONSOLE_KEYS}.",
    )


def incorrect_key(redacted: str) -> ApiError:
    return ApiError(
        401,
        f"Incorrect API key provided: {redacted}. You can find your API key at {_CONSOLE_KEYS}.",
        code="invalid_api_key",
    )


def mismatched(what: str) -> ApiError:
    """`what` is Organization or Project: the header of that name has another owner than the key."""
    return ApiError(
        401,
        f"OpenAI-{what} header should match {what.lower()} for API key",
        code=f"mismatched_{what.lower()}",
    )


def address_refused() -> ApiError:
    return ApiError(
        401, "IP not authorized: your request's IP is not in the allowlist of your organization or project."
    )


def country_refused() -> ApiError:
    return ApiError(
        403,
        "Country, region, or territory not supported",
        type="request_forbidden",
        code="unsupported_country_region_territory",
    )


def tier_refused() -> ApiError:
    return ApiError(
        400,
        "Invalid service_tier argument: The requested service tier is not allowed for this project.",
        param="service_tier",
    )


def missing_scopes(scopes: Sequence[str], *, admin: bool) -> ApiError:
    where = (
        "in your organization"
        if admin
        else "in your organization (Reader, Writer, Owner) and project (Viewer, Member, Owner)"
    )
    message = (
        f"You have insufficient permissions for this operation. Missing scopes: {', '.join(scopes)}. Check that you "
        f"have the correct role {where}, and if you're using a restricted API key, that it has the necessary scopes."
    )
    return BareError(403, message) if scopes[0] == "api.model.read" else ApiError(401, message)


# --- invalid requests ---------------------------------------------------------------------------------------------


def not_json() -> ApiError:
    return ApiError(400, "We could not parse the JSON body of your request.")


def unknown_parameter(name: str) -> ApiError:
    return ApiError(400, f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")


def missing_parameter(name: str) -> ApiError:
    return ApiError(400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")


def invalid_type(name: str, expected: str, got: str) -> ApiError:
    return ApiError(
        400, f"Invalid type for '{name}': expected {expected}, but got {got} instead.", param=name, code="invalid_type"
    )


def invalid_value(name: str, message: str) -> ApiError:
    return ApiError(400, f"Invalid value for '{name}': {message}", param=name, code="invalid_value")


def below_minimum(name: str, minimum: float, got: float, kind: str = "integer") -> ApiError:
    return ApiError(
        400,
        f"Invalid '{name}': {kind} below minimum value. Expected a value >= {minimum}, but got {got} instead.",
        param=name,
        code=f"{kind}_below_min_value",
    )


def above_maximum(name: str, maximum: float, got: float, kind: str = "integer") -> ApiError:
    return ApiError(
        400,
        f"Invalid '{name}': {kind} above maximum value. Expected a value <= {maximum}, but got {got} instead.",
        param=name,
        code=f"{kind}_above_max_value",
    )


def invalid_url(method: str, path: str) -> ApiError:
    return ApiError(404, f"Invalid URL ({method} {path})")


def method_not_allowed(method: str, path: str) -> ApiError:
    return ApiError(405, f"Not allowed to {method} on {path}.", code="method_not_supported")


# --- missing objects and conflicts --------------------------------------------------------------------------------


def not_found(what: str, identifier: str) -> ApiError:
    return ApiError(404, f"{what} {identifier} not found.", code="not_found")


def archived(project_id: str) -> ApiError:
    return ApiError(400, f"Project {project_id} is archived.", code="project_archived")


def model_not_found(model: str) -> ApiError:
    return ApiError(
        404, f"The model `{model}` does not exist or you do not have access to it.", param=None, code="model_not_found"
    )


def not_for_batch(model: str) -> ApiError:
    return ApiError(
        400, f"The provided model '{model}' is not supported by the Batch API.", param="model", code="model_not_found"
    )


def not_a_chat_model() -> ApiError:
    return ApiError(
        404,
        "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use "
        "v1/completions?",
        param="model",
    )


def not_an_embedding_model(model: str) -> ApiError:
    return ApiError(403, f"You are not allowed to generate embeddings from this model: {model}", param="model")


def model_denied(project_id: str, model: str) -> ApiError:
    return ApiError(403, f"Project `{project_id}` does not have access to model `{model}`", code="model_not_found")


def key_cannot_be_deleted() -> ApiError:
    """The rule before September 2026: only the delete of a service account could revoke its key."""
    return ApiError(400, "API keys cannot be deleted for service accounts, please delete the service account")


def still_used(message: str) -> ApiError:
    return ApiError(400, message, code="still_used")


# --- token exchange -----------------------------------------------------------------------------------------------


class OAuthRefusal(ApiError):
    """An error of the token endpoint, in OAuth's form: https://www.rfc-editor.org/rfc/rfc6749#section-5.2"""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message)
        self.body = {"error": code, "error_description": message}


def oauth(status: int, code: str, message: str) -> ApiError:
    return OAuthRefusal(status, code, f"{message}.")


def invalid_request(message: str) -> ApiError:
    return oauth(400, "invalid_request", message)


def invalid_grant(message: str) -> ApiError:
    """The provider or its mapping refuses: OpenAI's code."""
    return oauth(400, "invalid_grant", message)


def subject_token(message: str) -> ApiError:
    """The token that was given is not good: OpenAI's code."""
    return oauth(401, "invalid_subject_token", f"The subject token is refused: {message}")


# --- policies, permissions and limits -----------------------------------------------------------------------------


def policy(message: str, param: str | None = None) -> ApiError:
    """A policy that the organization's owner has set refuses the request."""
    return ApiError(403, message, param=param, code="organization_policy_violation")


def project_limit(limit: int) -> ApiError:
    return ApiError(400, f"You have reached the maximum of {limit} projects.", code="project_limit_exceeded")


def too_many(message: str) -> ApiError:
    return ApiError(400, message, code="limit_exceeded")


def spent(code: str) -> ApiError:
    """A spend limit or the balance is used up. `code` names which; `type` is the older, general name for all. Older
    answers have the general name as their code too."""
    return ApiError(
        429,
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
        type="insufficient_quota",
        code=code,
    )


def rate_limited(message: str, *, kind: str, headers: dict[str, str] | None = None) -> ApiError:
    return ApiError(429, message, type=kind, code="rate_limit_exceeded", headers=headers)


def server_error(request_id: str) -> ApiError:
    return ApiError(
        500,
        "The server had an error while processing your request. Sorry about that! You can retry your request, or "
        "contact us through our help center at help.openai.com if the error persists. (Please include the request ID "
        f"{request_id} in your message.)",
        type="server_error",
    )
