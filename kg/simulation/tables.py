"""Tables of the population file: each key is read once, what is missing, of the wrong type or left over is named."""

from __future__ import annotations

from kg.errors import InputError

_NEEDED = object()


class Table:
    """One table of the file. `place` says which, in errors; `done` refuses keys that nobody asked for."""

    def __init__(self, file: str, place: str, values: dict) -> None:
        self.file, self.place, self._values = file, place, dict(values)

    def get(self, key: str, kind: type | tuple[type, ...], default: object = _NEEDED):
        """The value of a key, once. Raises InputError when it is missing or not of this type."""
        value = self._values.pop(key, default)
        if value is _NEEDED:
            raise self.fault(f"has no {key}", "add it")
        if value is not default and not isinstance(value, kind):
            raise self.fault(f"{key} is {value!r:.40}", "give it as the head of the file says")
        return value

    def table(self, key: str, default: object = _NEEDED) -> Table:
        return Table(self.file, f"{self.place}.{key}", self.get(key, dict, default))

    def names(self) -> list[str]:
        """The keys not yet read, in order."""
        return list(self._values)

    def weights(self, key: str, default: object = _NEEDED) -> dict[str, float] | None:
        """Names with their weights. Raises InputError when a weight is no positive number."""
        found = self.get(key, dict, default)
        if found is not None and not (found and all(_number(weight) and weight > 0 for weight in found.values())):
            raise self.fault(f"{key} is no table of weights", "give each name a number above 0")
        return found

    def rows(self, key: str, default: object = _NEEDED) -> list[list[int]] | None:
        """Rows [weight, least, most]. Raises InputError when one is not."""
        found = self.get(key, list, default)
        if found is not None and not (found and all(map(_row, found))):
            raise self.fault(f"{key} is no list of rows", "give rows [weight, least, most] with whole numbers")
        return found

    def share(self, key: str, default: object = _NEEDED) -> float:
        """A number from 0 to 1. Raises InputError otherwise."""
        found = self.get(key, (int, float), default)
        if not 0 <= found <= 1:
            raise self.fault(f"{key} is {found}", "give a share, from 0 to 1")
        return found

    def rest(self) -> dict:
        """All that is left, taken out."""
        left, self._values = self._values, {}
        return left

    def done(self) -> None:
        if self._values:
            raise self.fault(f"has {', '.join(self._values)}, which nothing reads", "correct the key or remove it")

    def fault(self, message: str, remedy: str) -> InputError:
        return InputError(self.file, self.place, message, remedy)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _row(row: object) -> bool:
    return (
        isinstance(row, list) and len(row) == 3 and all(map(_number, row)) and row[0] > 0 and row[1] <= row[2]
        and isinstance(row[1], int) and isinstance(row[2], int)
    )  # fmt: skip
