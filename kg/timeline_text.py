"""A timeline for a terminal: dates left, what happened right, what it changed indented below."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from kg.timeline import Change, Course, Moment, State, Timeline

GROUNDS = {"by-record": "as recorded", "by-measurement": "derived from scores, not recorded", "by-neither": ""}
_SIGNS = {"eligible": "✓", "contraindicated": "⨯", "advised-against": "⨯", "undetermined": "?", "not-indicated": "–"}
_WIDTH, _DATE = 110, 12
_ONGOING = {"yes": "goes on", "unknown": "not known whether it goes on"}


def show(console: Console, timeline: Timeline) -> None:
    """Print a timeline; lines are wrapped to the console, at most 110 columns."""
    width = min(console.width, _WIDTH)
    console.print(f"[bold]{escape(timeline.patient)}[/bold]  as of {timeline.as_of}  —  {escape(timeline.guideline)}")
    undated = [mark.label for mark in timeline.marks if mark.when is None] + [f"{one.label} (course)" for one in timeline.courses if one.start is None]
    if undated:
        _line(console, width, "no date", "; ".join(undated))
    changes = {change.date: change for change in timeline.changes}
    days = sorted({*changes, *(moment.first for moment, _ in events(timeline))})
    for day in days:
        happened = [(moment, text) for moment, text in events(timeline) if moment.first == day]
        for when in dict.fromkeys(moment.text for moment, _ in happened) or [day.isoformat()]:
            texts = [text for moment, text in happened if moment.text == when]
            _line(console, width, when, "; ".join(texts) or "time has passed")
        for text in change_lines(changes[day]) if day in changes else ():
            _line(console, width, "", text, indent=2)
    for course in timeline.courses:
        if course.state and (course.ongoing != "no" or course.disagreement):
            _line(console, width, timeline.as_of.isoformat(), f"[bold]{escape(course.label)}[/bold]: {escape(standing(course))}", escaped=True)
    for one in timeline.due:
        _line(console, width, one.date.isoformat(), f"{'◆' if one.status == 'due' else '◇'} {one.label}: {one.course}, {one.status.replace('-', ' ')}")


def events(timeline: Timeline) -> list[tuple[Moment, str]]:
    """What the record dates: begins and ends of courses, values and marks, by their first day."""
    found = [(course.start, f"{course.label} begins") for course in timeline.courses if course.start]
    found += [(course.end, f"{course.label} ends: {course.response.lower()}") for course in timeline.courses if course.end]
    found += [(point.when, f"{series.label} {point.value:g}") for series in timeline.series for point in series.points]
    found += [(mark.when, f"{'planned: ' if mark.kind == 'plan' else ''}{mark.label}") for mark in timeline.marks if mark.when]
    return sorted(found, key=lambda one: (one[0].first, one[0].last))


def standing(course: Course) -> str:
    """The state of a classified course in words, with its ground and what the scores say otherwise."""
    ongoing = _ONGOING.get(course.ongoing)
    parts = [state_words(course.state)] + ([ongoing] if ongoing else [])
    if course.disagreement:
        parts.append(f"≠ scores say {course.measured.lower()}: review" if course.measured else "≠ scores contradict one another: review")
    elif course.measured and course.measured != course.state.label:
        parts.append(f"scores say {course.measured.lower()}")
    return "; ".join(parts)


def state_words(state: State) -> str:
    """A state with its ground: "Responding (derived from scores, not recorded)"."""
    ground = GROUNDS[state.ground]
    return f"{state.label} ({ground})" if ground else state.label


def change_lines(change: Change, names: int = 3) -> list[str]:
    """What changed on a day, a line a thing; of a group of treatments that many are named."""
    lines = [f"◆ {course}: {f'{before.lower()} → ' if before else ''}{state_words(state).lower()}" for course, before, state in change.states]
    first = [turn for turn in change.turns if turn.before is None]
    if first:
        by = {turn.after: _names(turn.treatments, names) for turn in first if turn.after.startswith(("eligible", "contraindicated", "advised"))}
        counts = ", ".join(f"{sum(len(turn.treatments) for turn in first if turn.after.startswith(word))} {word}" for word in _SIGNS if any(turn.after.startswith(word) for turn in first))
        lines += [f"to begin with: {counts or first[0].after}"] + [f"{_sign(after)} {after}: {listed}" for after, listed in by.items()]
    lines += [f"{_sign(turn.after)} {_names(turn.treatments, names)}: {turn.before} → {turn.after}" for turn in change.turns if turn.before is not None]
    lines += [f"◷ {label}: {course}, {status.replace('-', ' ')}" for course, label, status in change.monitoring]
    lines += [f"⚑ {label}" for label in change.raised] + [f"⚐ no longer: {label}" for label in change.cleared]
    return lines


def _sign(verdict: str) -> str:
    return _SIGNS.get(verdict.partition(",")[0], "·")


def _names(labels: Sequence[str], limit: int) -> str:
    if len(labels) <= limit + 1:
        return ", ".join(labels)
    return f"{', '.join(labels[:limit])} and {len(labels) - limit} more"


def _line(console: Console, width: int, date: str, text: str, indent: int = 0, escaped: bool = False) -> None:
    pad = max(_DATE, len(date) + 2) + indent
    rows = textwrap.wrap(text, max(width - pad, 20), subsequent_indent="  ") or [""]
    for number, row in enumerate(rows):
        left = f"[bold]{date}[/bold]" + " " * (pad - len(date)) if number == 0 else " " * pad
        console.print(left + (row if escaped else escape(row)), soft_wrap=True)
