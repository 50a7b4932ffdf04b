"""What the importer has to say about the input: one finding a fault, naming the resource and the element."""

from __future__ import annotations

from dataclasses import dataclass

VIOLATION, WARNING, INFO = "violation", "warning", "info"


@dataclass(frozen=True)
class Finding:
    """One line about one element: `severity` violation (cannot be read safely), warning (an answer may stay open) or
    info.

    `resource` is `Type/id`, `element` a path in it, `message` says what is wrong and what to do, `place` is the
    file."""

    severity: str
    resource: str
    element: str
    message: str
    place: str

    def __str__(self) -> str:
        return (
            f"{self.place}: {self.resource}: {self.element}: {self.message}"
            if self.element
            else f"{self.place}: {self.resource}: {self.message}"
        )
