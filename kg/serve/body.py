"""The body of a request, read within bounds of size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from kg.serve.problem import Problem

_SECONDS = 10


async def read(received: Request, limit: int) -> bytes:
    """The body: at most so many bytes, and all there within a few seconds. Raises Problem 413 or 408."""
    too_large = Problem(413, "too large", f"The body may have {limit} bytes at most.")
    announced = received.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limit:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(_SECONDS):
            async for part in received.stream():
                size += len(part)
                if size > limit:
                    raise too_large
                parts.append(part)
    except TimeoutError:
        raise Problem(408, "too slow", f"The body was not there within {_SECONDS} s.", headers={"Connection": "close"}) from None
    return b"".join(parts)
