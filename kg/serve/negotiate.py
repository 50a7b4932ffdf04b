"""Content negotiation (RFC 9110, section 12.5.1): which of the media types on offer a client wants most."""

from __future__ import annotations

from collections.abc import Sequence


def choose(accept: str | None, offered: Sequence[str]) -> str | None:
    """The media type on offer that the Accept header rates highest, the first of equals; None when it takes none.

    Without a header, or with one that cannot be read, the first on offer."""
    ranges = [one for one in map(_range, (accept or "").split(",")) if one]
    if not ranges:
        return offered[0]
    rated = [(_quality(media, ranges), -place) for place, media in enumerate(offered)]
    quality, place = max(rated)
    return offered[-place] if quality > 0 else None


def _range(text: str) -> tuple[str, str, float] | None:
    media, *parameters = (part.strip() for part in text.split(";"))
    kind, slash, subtype = media.lower().partition("/")
    if not (kind and slash and subtype):
        return None
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                quality = min(1.0, max(0.0, float(value)))
            except ValueError:
                return None
    return kind, subtype, quality


def _quality(media: str, ranges: Sequence[tuple[str, str, float]]) -> float:
    """The quality of the most specific range that names the media type; 0 when none does."""
    kind, _, subtype = media.partition("/")
    found = [(2 if (k, s) == (kind, subtype) else 1 if k == kind else 0, quality)
             for k, s, quality in ranges if (k, s) in ((kind, subtype), (kind, "*"), ("*", "*"))]
    return max(found)[1] if found else 0.0
