"""The conversation with the OpenID provider: its document and keys, the exchange of the code, the proof of the answer.

The library builds the requests and knows the claims; the issuer of the answer (RFC 9207) and the list of algorithms are checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from ssl import SSLContext
from threading import Lock
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from web.oidc import CALLBACK, Identity, ProviderDown, Secrets, Untrusted

ALGORITHMS = ["RS256", "ES256"]
"""Never what the provider's own document names: with HS256 anybody who knows the public key could sign."""
_TIMEOUT = httpx2.Timeout(5.0)
_FRESH = timedelta(hours=1)
_DOWN_FOR = timedelta(seconds=10)
"""How long a provider that did not answer is not asked again: nobody waits for what the last one waited for in vain."""
_LEEWAY = 60
"""Seconds by which the provider's clock may differ from ours."""
_UNREACHABLE = (httpx2.HTTPError, httpx2.InvalidURL)
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@cache
def _trust() -> SSLContext:
    """The authorities that vouch for the provider: reading their list anew for every call took longer than the call."""
    return httpx2.create_ssl_context()


class Provider:
    """One OpenID provider; its document and keys are kept for an hour."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, base_url: str) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._base_url = base_url
        self._lock = Lock()
        self._document: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._fetched_at: datetime | None = None
        self._down_until: datetime | None = None

    def begin(self, state: str, secrets: Secrets, *, now: datetime) -> str:
        """The URL at the provider where the sign-in goes on. Raises ProviderDown."""
        document = self._discover(now)
        with self._client() as client:
            url, _ = client.create_authorization_url(document["authorization_endpoint"], state=state, nonce=secrets.nonce, code_verifier=secrets.verifier)
        return str(url)

    def finish(self, answer: Mapping[str, str], secrets: Secrets, *, now: datetime) -> Identity:
        """Who came back with `answer`, the callback's query. Raises Untrusted or ProviderDown; `state` is the caller's to check."""
        document = self._discover(now)
        self._check_issuer(answer.get("iss"), document)
        if "error" in answer:
            raise Untrusted("refused_there")
        if not answer.get("code"):
            raise Untrusted("code")
        token = self._exchange(answer["code"], secrets, document)
        claims = self._verified(str(token.get("id_token") or ""), secrets, token, document, now)
        return self._identity(claims, token, document)

    def sign_out_url(self, *, now: datetime) -> str | None:
        """Where a person signs out of the provider too, None when it offers no such page. Raises ProviderDown."""
        page = self._discover(now).get("end_session_endpoint")
        if not isinstance(page, str):
            return None
        return f"{page}?{urlencode({'client_id': self._client_id, 'post_logout_redirect_uri': self._base_url + '/console/sign-in'})}"

    # -- the provider's document and keys

    def _discover(self, now: datetime) -> dict[str, Any]:
        with self._lock:
            if self._fetched_at is not None and now - self._fetched_at < _FRESH:
                return self._document
            if self._down_until is not None and now < self._down_until:
                raise ProviderDown("asked a moment ago")
            try:
                self._document = self._checked(self._get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"))
                self._keys = self._fetch_keys(self._document)
            except ProviderDown:
                self._down_until = now + _DOWN_FOR
                raise
            self._fetched_at = now
            return self._document

    def _checked(self, document: dict[str, Any]) -> dict[str, Any]:
        if document.get("issuer") != self.issuer:
            raise ProviderDown("the document is another issuer's")
        scheme = urlsplit(self.issuer).scheme
        for name in _ENDPOINTS:
            if urlsplit(str(document.get(name) or "")).scheme not in {"https", scheme}:
                raise ProviderDown(f"the document's {name} is unusable")
        return document

    def _fetch_keys(self, document: dict[str, Any]) -> KeySet:
        try:
            return KeySet.import_key_set(cast("Any", self._get(document["jwks_uri"])))
        except (JoseError, ValueError, KeyError, TypeError) as fault:
            raise ProviderDown("the keys are unreadable") from fault

    def _get(self, url: str) -> dict[str, Any]:
        try:
            with self._client() as client:
                response = client.request("GET", url, withhold_token=True)
            return _object(response)
        except _UNREACHABLE as fault:
            raise ProviderDown(type(fault).__name__) from fault

    def _client(self) -> Any:
        """A client for one call. `Any`: the library is untyped, what it answers is cast where it is used."""
        return OAuth2Client(
            client_id=self._client_id,
            client_secret=self._client_secret or None,
            token_endpoint_auth_method=self._auth_method(),
            scope="openid email profile",
            redirect_uri=self._base_url + CALLBACK,
            code_challenge_method="S256",
            timeout=_TIMEOUT,
            verify=_trust(),
            follow_redirects=False,
        )

    def _auth_method(self) -> str:
        if not self._client_secret:
            return "none"
        offered = cast("list[str]", self._document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"])
        return "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"

    # -- the answer

    def _check_issuer(self, named: str | None, document: dict[str, Any]) -> None:
        """RFC 9207: the answer names its issuer, at least where the provider says that it always does. The library never looks."""
        promised = document.get("authorization_response_iss_parameter_supported") is True
        if named != self.issuer and (promised or named is not None):
            raise Untrusted("issuer")

    def _exchange(self, code: str, secrets: Secrets, document: dict[str, Any]) -> dict[str, Any]:
        try:
            with self._client() as client:
                token = client.fetch_token(document["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=secrets.verifier)
        except OAuthError as fault:
            raise Untrusted("code") from fault
        except _UNREACHABLE as fault:
            raise ProviderDown(type(fault).__name__) from fault
        except ValueError as fault:
            raise ProviderDown("the token's answer is unreadable") from fault
        return cast("dict[str, Any]", token)

    def _verified(self, id_token: str, secrets: Secrets, token: dict[str, Any], document: dict[str, Any], now: datetime) -> dict[str, Any]:
        try:
            decoded = self._decoded(id_token, document)
            options: Any = {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self._client_id}}
            params = {"nonce": secrets.nonce, "client_id": self._client_id, "access_token": token.get("access_token")}
            claims: Any = CodeIDToken(decoded.claims, decoded.header, options, params)
            claims.validate(now=int(now.timestamp()), leeway=_LEEWAY)
        except (JoseError, ValueError, TypeError) as fault:
            raise Untrusted("id_token") from fault
        return cast("dict[str, Any]", claims)

    def _decoded(self, id_token: str, document: dict[str, Any]) -> jwt.Token:
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            return jwt.decode(id_token, cast("KeySet", self._keys), registry=registry)
        except InvalidKeyIdError:
            # The keys were changed since we fetched them. Once is enough: a key that is still unknown then is nobody's.
            self._keys = self._fetch_keys(document)
            return jwt.decode(id_token, self._keys, registry=registry)

    def _identity(self, claims: dict[str, Any], token: dict[str, Any], document: dict[str, Any]) -> Identity:
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise Untrusted("subject")
        told = claims if "email" in claims else self._told_apart(subject, token, document)
        if told.get("email_verified") is False:
            raise Untrusted("email_unverified")
        email = told.get("email")
        return Identity(self.issuer, subject, email if isinstance(email, str) else "", told.get("email_verified") is True)

    def _told_apart(self, subject: str, token: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
        """The e-mail of providers that keep it out of the ID token, from the userinfo endpoint (OpenID Connect Core 5.3)."""
        endpoint = document.get("userinfo_endpoint")
        if not isinstance(endpoint, str) or not token.get("access_token"):
            return {}
        try:
            with self._client() as client:
                client.token = token
                told = _object(client.request("GET", endpoint))
        except _UNREACHABLE as fault:
            raise ProviderDown(type(fault).__name__) from fault
        if told.get("sub") != subject:
            raise Untrusted("subject")
        return told


def _object(response: httpx2.Response) -> dict[str, Any]:
    """The JSON object of a plain 200."""
    if response.status_code != 200:
        raise ProviderDown(f"answered {response.status_code}")
    try:
        content: object = response.json()
    except ValueError as fault:
        raise ProviderDown("no JSON") from fault
    if not isinstance(content, dict):
        raise ProviderDown("no JSON object")
    return cast("dict[str, Any]", content)
