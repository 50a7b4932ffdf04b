"""Eligible treatments as the actions of a RequestGroup: alternatives together, in the order of preference."""

from __future__ import annotations

from collections.abc import Callable

from kg.guidance.words import decisive

_RANK = {"strong": 0, "conditional": 1, "unstated": 2}


def actions(eligible: list[dict], write: Callable[[dict], dict]) -> list[dict]:
    """One action a treatment; those that the same recommendations give with one strength and role form a group.

    Of a group at most one is chosen, any of it when the source gives them side by side (role concurrent). What is preferred
    comes first, then the stronger."""
    found = []
    for group in _ordered(_groups(eligible)):
        members = [write(one) for one in _preferred_first(group)]
        if len(members) == 1:
            found.extend(members)
            continue
        rules = decisive(group[0])
        found.append({"title": "; ".join(rule["label"] for rule in rules), "textEquivalent": f"Alternatives by {', '.join(rule['id'] for rule in rules)}.",
                      "groupingBehavior": "logical-group", "selectionBehavior": "any" if group[0]["role"] == "concurrent" else "at-most-one", "action": members})
    return found


def _groups(eligible: list[dict]) -> list[list[dict]]:
    groups: dict[tuple, list[dict]] = {}
    for one in eligible:
        key = (tuple(rule["id"] for rule in decisive(one)), one["strength"], one["role"], one["step"])
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _ordered(groups: list[list[dict]]) -> list[list[dict]]:
    """The groups by strength, but none before one that is preferred over it."""
    left, found = sorted(groups, key=lambda group: _RANK[group[0]["strength"]]), []
    while left:
        def free(group: list[dict]) -> bool:
            others = {one["treatment"] for other in left if other is not group for one in other}
            return not any(others & set(one["lessPreferredThan"]) for one in group)

        chosen = next(filter(free, left), left[0])
        found.append(chosen)
        left = [group for group in left if group is not chosen]
    return found


def _preferred_first(group: list[dict]) -> list[dict]:
    names = {one["treatment"] for one in group}
    return sorted(group, key=lambda one: len(names & set(one["lessPreferredThan"])))
