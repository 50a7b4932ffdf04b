"""The one error that users see: which file, where in it, what is wrong, what to do."""

from __future__ import annotations


class InputError(Exception):
    """An input that cannot be read at all. `str()` is one line: `file: place: what: remedy`."""

    def __init__(self, file: str, place: str, message: str, remedy: str) -> None:
        super().__init__(file, place, message, remedy)
        self.file, self.place, self.message, self.remedy = file, place, message, remedy

    def __str__(self) -> str:
        return ": ".join(" ".join(part.split()) for part in (self.file, self.place, self.message, self.remedy) if part)
