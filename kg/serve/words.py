"""The words of a SPARQL text outside of its strings, IRIs, names and comments."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""(?P<skip> \"{3}(?:[^"\\]|\\.|"(?!""))*\"{3} | '{3}(?:[^'\\]|\\.|'(?!''))*'{3}
          | "(?:[^"\\\n\r]|\\.)*" | '(?:[^'\\\n\r]|\\.)*'
          | <[^<>"{}|^`\\\x00-\x20]*> | \#[^\n\r]*
          | [?$]\w+ | @[A-Za-z][\w-]* | _:[\w.-]+ | [\w.-]*:(?:[\w.:%-]|\\.)* )
      | (?P<word> [A-Za-z_][\w]* ) | .""", re.VERBOSE | re.DOTALL)


def words(query: str) -> set[str]:
    """The bare words (keywords and function names) of a query, in capitals."""
    return {match["word"].upper() for match in _TOKEN.finditer(query) if match["word"]}
