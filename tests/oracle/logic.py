"""Three-valued logic and possible worlds. Truths are 'met', 'unmet', 'unknown' (spec/verdicts.md section 1)."""

import itertools

MET, UNMET, UNKNOWN = "met", "unmet", "unknown"
_RANK = {UNMET: 0, UNKNOWN: 1, MET: 2}
_TRUTH = {rank: truth for truth, rank in _RANK.items()}
FAR_PAST = 3650
"""How many days before the as-of date an undated fact is tried at the earliest."""
WORLD_CAP = 1500
OFFSETS = sorted({s * o for s in (-1, 1) for o in (0, 1, 13, 14, 15, 29, 30, 31, 41, 42, 43, 59, 60, 61, 83, 84, 85,
                                                   89, 90, 91, 119, 120, 121)})


def truth(flag):
    """A Python bool as a truth."""
    return MET if flag else UNMET


def all_of(*truths):
    """AND; met when empty."""
    return _TRUTH[min((_RANK[t] for t in truths), default=2)]


def any_of(*truths):
    """OR; unmet when empty."""
    return _TRUTH[max((_RANK[t] for t in truths), default=0)]


def negate(value):
    """NOT."""
    return _TRUTH[2 - _RANK[value]]


def agree(outcomes):
    """The one truth that all outcomes share, otherwise unknown; unknown when there is none."""
    found = set(outcomes)
    return found.pop() if len(found) == 1 else UNKNOWN


def agree_all(worlds):
    """Merge dicts of outcomes, one a world: values that differ become 'unknown' (bools: False)."""
    worlds = list(worlds)
    merged = {}
    for key in worlds[0]:
        values = [world[key] for world in worlds]
        same = all(value == values[0] for value in values)
        merged[key] = values[0] if same else (False if isinstance(values[0], bool) else UNKNOWN)
    return merged


def compare(span, at_least):
    """Is a number known as (low, high) at least a bound?"""
    low, high = span
    return MET if low >= at_least else UNMET if high < at_least else UNKNOWN


def candidate_days(low, high, anchors):
    """Days worth trying in [low, high]: all of them for a month, otherwise ends, a grid and the days that matter."""
    if high - low <= 31:
        return list(range(low, high + 1))
    days = {low, high} | {a + o for a in anchors for o in OFFSETS if low <= a + o <= high}
    if high - low <= 400:
        days |= set(range(low, high, 7))
    return sorted(days)


def thin(choices):
    """Cut the longest lists of choices until their product is below WORLD_CAP, keeping first and last."""
    choices = [list(c) for c in choices]

    def size():
        total = 1
        for choice in choices:
            total *= len(choice)
        return total

    while size() > WORLD_CAP:
        longest = max(range(len(choices)), key=lambda i: len(choices[i]))
        old = choices[longest]
        if len(old) <= 2:
            break
        choices[longest] = old[::2] if len(old) % 2 else [*old[::2], old[-1]]
    return choices


def worlds(choices):
    """Every combination of the choices, thinned to a bearable number."""
    return itertools.product(*thin(choices))
