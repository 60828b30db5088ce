"""Keys of other providers, told by the prefix that each gives its keys. The first two begin as OpenAI's do."""

from __future__ import annotations

from typing import Final

VENDORS: Final = {
    "sk-ant-": "Anthropic",
    "sk-or-": "OpenRouter",
    "sk_live_": "Stripe",
    "sk_test_": "Stripe",
    "AIza": "Google",
    "AKIA": "AWS",
    "ASIA": "AWS",
    "github_pat_": "GitHub",
    "ghp_": "GitHub",
    "gsk_": "Groq",
    "hf_": "Hugging Face",
    "nvapi-": "NVIDIA",
    "pplx-": "Perplexity",
    "xai-": "xAI",
    "xoxb-": "Slack",
}


def vendor_of(text: str) -> tuple[str, str] | None:
    """Prefix and provider; None for a text that begins as no other provider's key does."""
    return next((found for found in VENDORS.items() if text.startswith(found[0])), None)
