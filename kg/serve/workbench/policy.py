"""What a browser may load for each kind of page: files of the service itself, nothing from elsewhere, no script in a page."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from kg.timeline_svg import STYLE


def _policy(styles: str) -> str:
    return (f"default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'")


PAGE = _policy("")
#: The result view of YASGUI adds one style element of its own, always the same: how wide the grips between columns are.
QUERY = _policy(" 'sha256-zCK2EVMoPc04mRF/g5CotUvxbJPWS+8V0b+s9ptqQIk='")
#: The drawing of a timeline carries its style, always the same.
PATIENT = _policy(f" 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'")
