"""Providers of OpenID for the tests: a real one (oidc-provider, in Node), and one that lies as it is told."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from joserfc import jwk, jws
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.services.node import node
from tests.services.smtp import free_port
from tests.services.web import serving

CLIENT = "desk"
SECRET = "a-secret-of-the-desk"


@dataclass(frozen=True)
class RealProvider:
    """A running oidc-provider."""

    issuer: str

    def become(self, subject: str) -> None:
        """Let whoever comes next be `subject`; nobody: the person says no."""
        httpx2.get(f"{self.issuer}/become/{subject}").raise_for_status()

    def walk(self, url: str) -> str:
        """Go from the desk's redirect through the provider's pages to the address of the desk's callback."""
        # Plain HTTP: the list of authorities would take longer to read than the walk.
        with httpx2.Client(verify=False) as browser:
            while urlsplit(url).netloc == urlsplit(self.issuer).netloc:
                answer = browser.get(url)
                assert answer.status_code in (302, 303), f"{url} answered {answer.status_code}: {answer.text[:500]}"
                url = str(answer.url.join(answer.headers["location"]))
        return url


@contextmanager
def real_provider(redirect_uri: str, accounts: dict[str, dict[str, Any]], *, claims_apart: bool = False) -> Iterator[RealProvider]:
    """oidc-provider with these accounts by subject; `claims_apart` keeps the e-mail out of the ID token, as some do."""
    port = free_port()
    script = Path(__file__).with_name("oidc_provider.mjs")
    command = [node(), str(script), str(port), redirect_uri, json.dumps(accounts), "userinfo" if claims_apart else "id_token"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            said: list[str] = []
            for line in process.stdout or ():
                said.append(line)
                if line.strip() == "ready":
                    break
            assert said and said[-1].strip() == "ready", "the provider did not start: " + "".join(said)
            yield RealProvider(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


@dataclass
class LyingProvider:
    """A provider whose tokens, documents and silence the test chooses. It signs with its own keys, ES256 unless told otherwise."""

    issuer: str
    claims: dict[str, Any] = field(default_factory=dict[str, Any])
    """What stands in the ID token over the true claims; None takes one out."""
    header: dict[str, Any] = field(default_factory=dict[str, Any])
    document: dict[str, Any] = field(default_factory=dict[str, Any])
    token_status: int = 200
    stalls: bool = False
    kid: str = "first"
    signs_with: str = "ES256"
    asked_for_keys: int = 0
    nonce: str = ""
    awake: Event = field(default_factory=Event)
    key: Any = field(default_factory=lambda: jwk.ECKey.generate_key("P-256"))

    def callback(self, url: str, **changed: str | None) -> str:
        """The callback's query that answers the desk's redirect `url`; `changed` alters it, None takes a value out."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.nonce = query["nonce"]
        answer = {"state": query["state"], "code": "a-code", "iss": self.issuer, **changed}
        return "/console/sign-in/callback?" + urlencode({name: value for name, value in answer.items() if value is not None})

    def id_token(self, now: int) -> str:
        """The ID token, as true as the test wants it."""
        true = {"iss": self.issuer, "sub": "sato-at-the-provider", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": self.nonce}
        claims = {**true, "email": "sato@jscom.co.jp", "email_verified": True, **self.claims}
        payload = json.dumps({name: value for name, value in claims.items() if value is not None}).encode()
        header = {"alg": self.signs_with, "kid": self.kid, **self.header}
        if header["alg"] in ("none", "HS256"):
            signed = f"{_part(json.dumps(header).encode())}.{_part(payload)}"
            mark = hmac.new(self.key.as_pem(private=False), signed.encode(), hashlib.sha256).digest() if header["alg"] == "HS256" else b""
            return f"{signed}.{_part(mark)}"
        return jws.serialize_compact(header, payload, self.key, algorithms=[header["alg"]])


@contextmanager
def lying_provider(clock: Any) -> Iterator[LyingProvider]:
    """A running LyingProvider that reads the test's clock."""
    port = free_port()
    provider = LyingProvider(f"http://127.0.0.1:{port}")
    with serving(_app(provider, clock), port):
        yield provider
        provider.awake.set()


def _part(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _app(provider: LyingProvider, clock: Any) -> Starlette:
    def document(request: Request) -> Response:
        if provider.stalls:
            provider.awake.wait(30)
        base = {name: f"{provider.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        return JSONResponse({"issuer": provider.issuer, **base, "authorization_response_iss_parameter_supported": True, **provider.document})

    def keys(request: Request) -> Response:
        provider.asked_for_keys += 1
        return JSONResponse({"keys": [{**provider.key.as_dict(private=False), "kid": provider.kid, "use": "sig"}]})

    def token(request: Request) -> Response:
        if provider.token_status != 200:
            return JSONResponse({"error": "invalid_grant"}, status_code=provider.token_status)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": provider.id_token(int(clock().timestamp()))})

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", document),
            Route("/jwks_uri", keys),
            Route("/token_endpoint", token, methods=["POST"]),
        ]
    )
