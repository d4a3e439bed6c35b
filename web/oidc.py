"""Signing in at the company's OpenID provider: code flow with PKCE, one provider, nothing believed that is not checked.

The conversation itself is `web.oidc_provider`'s: its libraries weigh 8 MB, so they are loaded by the first sign-in that needs them.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from settings import Settings

if TYPE_CHECKING:
    from web.oidc_provider import Provider

CALLBACK = "/console/sign-in/callback"
ATTEMPT_MINUTES = 10


class ProviderDown(Exception):
    """The provider does not answer, or its own document is not what it should be."""


class Untrusted(Exception):
    """The provider's answer does not prove who this is; `why` is a word for the journal."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Identity:
    """Whom the provider vouches for. Only issuer and subject are lasting; the e-mail binds them once, and only when it is verified."""

    issuer: str
    subject: str
    email: str
    email_verified: bool


@dataclass(frozen=True)
class Secrets:
    """What belongs to one state: derived from it by the desk's key, so that the browser's cookie needs to hold the state alone."""

    nonce: str
    verifier: str


def secrets_of(key: bytes, state: str) -> Secrets:
    """The nonce and the PKCE verifier (RFC 7636: 43 characters) of `state`."""
    return Secrets(_derive(key, "nonce", state), _derive(key, "verifier", state))


def provider_of(settings: Settings) -> Provider | None:
    """The configured provider, None without one; the same object for the whole process, for it keeps what it has fetched."""
    if not settings.oidc_issuer:
        return None
    return kept_provider(settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, settings.base_url)


@cache
def kept_provider(issuer: str, client_id: str, client_secret: str, base_url: str) -> Provider:
    """The provider of these settings, made once."""
    from web.oidc_provider import Provider

    return Provider(issuer, client_id, client_secret, base_url)


def _derive(key: bytes, purpose: str, state: str) -> str:
    return urlsafe_b64encode(hmac.new(key, f"oidc:{purpose}:{state}".encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
