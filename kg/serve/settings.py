"""What the operator of the service chose, checked once at the start."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from kg.errors import InputError


@dataclass(frozen=True)
class Settings:
    """Where the service listens, who may use it, and what a request may cost.

    `seconds`: of one query; `memory`: mebibytes that a query may use beside the data; `rows`: of a result;
    `body`: bytes of a request; `workers`: queries, and as many evaluations, that run at the same time; `origins`: for CORS,
    none by default; `feedback`: a file for the feedback on cards; `pages`: an absolute address that cards link to."""

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    seconds: float = 10.0
    memory: int = 1024
    rows: int = 10_000
    body: int = 1_000_000
    workers: int = 2
    origins: tuple[str, ...] = ()
    feedback: Path | None = None
    pages: str | None = None

    def __post_init__(self) -> None:
        """Raises InputError for a choice that would not be safe or cannot work."""
        if not self.token and not is_loopback(self.host):
            raise InputError(self.host, "--host", "other machines could read what is served",
                             "set a token (KG_TOKEN) or stay on 127.0.0.1")
        if self.pages and not self.pages.startswith(("http://", "https://")):
            raise InputError(self.pages, "--pages", "not an absolute address", "begin it with https://")
        for name in ("seconds", "memory", "rows", "body", "workers"):
            if getattr(self, name) <= 0:
                raise InputError(str(getattr(self, name)), f"--{name}", "not above zero", "give a positive number")

    @property
    def names(self) -> tuple[str, ...]:
        """Host names that requests may be addressed to: on loopback a page elsewhere must not reach the service by
        a name of its own (DNS rebinding)."""
        return ("localhost", "127.0.0.1", "[::1]", "::1") if is_loopback(self.host) else ("*",)


def is_loopback(host: str) -> bool:
    """Does this address or name reach only the machine itself?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
