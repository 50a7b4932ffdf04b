"""Around every request: the token, the headers of a private service, one line of log without any content."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from base64 import b64decode
from datetime import UTC, datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("kg.serve")
_OPEN = ("/health", "/ready")
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]


class Guard:
    """ASGI middleware; without a token everybody who reaches the service may use it."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, digest = time.monotonic(), 0, hashlib.sha256(scope.get("query_string", b""))

        async def heard() -> Message:
            message = await receive()
            digest.update(message.get("body", b""))
            return message

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = list(message.get("headers", ()))
                own = any(name.lower() == _POLICY[0] for name, _ in given)          # a page says itself what it may load
                message["headers"] = [*given, *_HEADERS, *(() if own else (_POLICY,))]
            await send(message)

        try:
            if scope["path"] not in _OPEN and not self._allowed(scope):
                await _unauthorized(tell)
            else:
                await self._app(scope, heard, tell)
        finally:
            LOG.info(json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "method": scope["method"], "path": _path(scope),
                                 "status": status, "ms": round((time.monotonic() - began) * 1000, 1), "query": digest.hexdigest()[:12]}))

    def _allowed(self, scope: Scope) -> bool:
        if self._token is None:
            return True
        given = dict(scope["headers"]).get(b"authorization", b"")
        scheme, _, value = given.partition(b" ")
        if scheme.lower() == b"basic":                              # how a browser sends what a person typed
            return hmac.compare_digest(_password(value), self._token.encode())
        return hmac.compare_digest(given, b"Bearer " + self._token.encode())


def _password(value: bytes) -> bytes:
    """The password of HTTP Basic credentials; empty when they are none. The user's name does not count."""
    try:
        return b64decode(value, validate=True).partition(b":")[2]
    except ValueError:
        return b""


def _path(scope: Scope) -> str:
    """The path when it is one of the service; any other could hold anything."""
    return scope["path"] if scope.get("endpoint") else "(other)"


async def _unauthorized(send: Send) -> None:
    body = json.dumps({"title": "no token", "status": 401, "detail": "Send the header Authorization: Bearer with the token of this service."}).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"www-authenticate", b"Bearer"), (b"www-authenticate", b'Basic realm="kg serve"'),
               (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": body})
