"""What goes wrong with a request, as RFC 9457 problem details."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Problem(Exception):
    """A refused request: HTTP status, what is wrong and what to do; `more` are further members, `headers` of the answer.

    No part of the request is repeated: it could be a patient's data."""

    status: int
    title: str
    detail: str
    more: dict = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict:
        """The members of application/problem+json."""
        return {"title": self.title, "status": self.status, "detail": self.detail, **self.more}
