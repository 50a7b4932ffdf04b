"""A patient's timeline: courses with their states, scores, findings, and what changed on which day."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

import pyoxigraph as ox

from kg.engine import Triple
from kg.evaluate import DatedSnapshot
from kg.guideline import Guideline
from kg.history import history, of_patient, period
from kg.index import Index
from kg.results import results, word
from kg.terms import GL, PT, RDF, RDFS

_JULIAN_DAY_OF_YEAR_0 = 1721425  # the Julian day number of the day before 0001-01-01
_MARKS = {PT.Diagnosis: "diagnosis", PT.Contraindication: "contraindication", PT.Procedure: "procedure", PT.Observation: "finding", PT.Plan: "plan", PT.UnreadAlert: "alert"}
_WHEN = (PT.date, PT.start, PT.recorded, PT.authored)
_SAYS = (PT.presence, PT.finding, PT.side, PT.response, PT.certainty)


@dataclass(frozen=True)
class Moment:
    """A day of the record, or the first and the last day that a partial date can mean; `text` as one would write it."""

    first: datetime.date
    last: datetime.date

    @property
    def text(self) -> str:
        for length in (10, 7, 4):
            text = self.first.isoformat()[:length]
            if period(text) == (self.first, self.last):
                return text
        return f"{self.first} to {self.last}"


@dataclass(frozen=True)
class State:
    """A state of a course: the word of its individual, its label, and how it is known: by-record, by-measurement or by-neither."""

    word: str
    label: str
    ground: str


@dataclass(frozen=True)
class Segment:
    """A stretch of a course in one state, as known then."""

    start: datetime.date
    end: datetime.date
    state: State


@dataclass(frozen=True)
class Course:
    """The joined course of one agent. `start` is None when not known; `end` is None while it goes on or when not known.

    `state` is None where no machine of the guideline classifies it; `measured` is what dated measurements say, whatever the record says."""

    iri: str
    label: str
    start: Moment | None
    end: Moment | None
    ongoing: str
    response: str
    words: tuple[str, ...]
    state: State | None
    measured: str | None
    disagreement: bool
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Point:
    """One dated value of a measure."""

    when: Moment
    value: float
    fact: str


@dataclass(frozen=True)
class CutOff:
    """A number that the guideline compares the latest value with."""

    label: str
    value: float


@dataclass(frozen=True)
class Series:
    """The dated values of one measure with the guideline's cut-offs for it; the scale's ends where the measure has them."""

    label: str
    points: tuple[Point, ...]
    cutoffs: tuple[CutOff, ...]
    least: float | None
    most: float | None


@dataclass(frozen=True)
class Mark:
    """Something on record that has a day and is neither a course nor a value of a series; `when` is None without a date."""

    kind: str
    label: str
    when: Moment | None
    fact: str


@dataclass(frozen=True)
class Turn:
    """Treatments whose verdict changed alike; `before` is None on the first day. A verdict with its strength: "eligible, strong"."""

    treatments: tuple[str, ...]
    before: str | None
    after: str


@dataclass(frozen=True)
class Change:
    """What was derived anew on one day; `states` are (course, state before or None, state), `raised` and `cleared` review flags,
    `monitoring` (course, what is to be done, status)."""

    date: datetime.date
    turns: tuple[Turn, ...]
    states: tuple[tuple[str, str | None, State], ...]
    raised: tuple[str, ...]
    cleared: tuple[str, ...]
    monitoring: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Due:
    """What is due on a day after the as-of date, or has been since before it."""

    date: datetime.date
    course: str
    label: str
    status: str


@dataclass(frozen=True)
class Timeline:
    """Everything that a timeline shows of one patient; `results` is the row of `kg recommend` on the as-of date."""

    patient: str
    guideline: str
    as_of: datetime.date
    applicability: str
    courses: tuple[Course, ...]
    series: tuple[Series, ...]
    marks: tuple[Mark, ...]
    changes: tuple[Change, ...]
    due: tuple[Due, ...]
    results: dict


def timeline(facts: Iterable[Triple], guideline: Guideline, as_of: datetime.date, patient: ox.NamedNode, engine: str = "oxigraph") -> Timeline:
    """The timeline of one pt:Patient among facts (pt: vocabulary), as known on `as_of`; every day of it as known on that day."""
    days = history(of_patient(facts, patient), guideline, as_of, engine)
    rows = [results(day)[0] for day in days]
    rules, last = guideline.index, days[-1]
    states = [_states(rules, day) for day in days]
    known = Index((*last.facts, *last.derived))
    courses = tuple(_course(rules, known, Index(last.classified), node, days, states) for node in _episodes(known))
    series = tuple(found for measure in sorted(_measures(rules), key=lambda one: one.value) if (found := _series(rules, known, measure)).points)
    plotted = {point.fact for one in series for point in one.points}
    return Timeline(
        patient=rows[-1]["patient"], guideline=f"{rows[-1]['guideline']['label']} {rows[-1]['guideline']['version']}", as_of=as_of,
        applicability=rows[-1]["applicability"], courses=tuple(sorted(courses, key=_course_order)), series=series,
        marks=tuple(sorted((mark for mark in _marks(rules, known) if mark.fact not in plotted), key=_mark_order)),
        changes=tuple(change for change in map(_change, [None, *rows], rows, [None, *states], states, days, [courses] * len(days)) if change is not None),
        due=tuple(_due(rows[-1], {course.iri: course.label for course in courses})), results=rows[-1])


def _date(day) -> datetime.date:
    return datetime.date.fromordinal(int(day.value) - _JULIAN_DAY_OF_YEAR_0)


def _number(index: Index, node, predicate: str) -> int:
    return int(index.text(node, predicate) or 0)


def _moment(first: int, last: int) -> Moment | None:
    """The moment between two Julian day numbers; None when the first is 0, which means not known."""
    if first <= 0:
        return None
    return Moment(datetime.date.fromordinal(first - _JULIAN_DAY_OF_YEAR_0), datetime.date.fromordinal(last - _JULIAN_DAY_OF_YEAR_0))


def _label(rules: Index, term) -> str:
    return rules.text(term, RDFS.label) or term.value


def _episodes(known: Index) -> list:
    return known.subjects(GL.kind, ox.NamedNode(GL.Episode))


def _states(rules: Index, day: DatedSnapshot) -> dict[str, State]:
    """The state of each classified course, by the course."""
    index = Index(day.classified)
    found = {}
    for node in index.subjects(RDF.type, ox.NamedNode(GL.CourseClassification)):
        state = index.value(node, GL.inState)
        found[index.text(node, GL.course)] = State(word(state), _label(rules, state), word(index.value(node, GL.classifiedBy)))
    return found


def _course(rules: Index, known: Index, classified: Index, node, days: tuple[DatedSnapshot, ...], states: list[dict[str, State]]) -> Course:
    first, last = _number(known, node, GL.fromMin), _number(known, node, GL.fromMax)
    ongoing = word(known.value(node, GL.ongoing))
    start = _moment(first, last)
    end = None if ongoing != "unmet" else _moment(last + _number(known, node, GL.lengthMin), first + _number(known, node, GL.lengthMax))
    classification = next(iter(classified.subjects(GL.course, node)), None)
    measured = classified.value(classification, GL.stateByMeasurement)
    records = known.objects(node, GL.member)
    labels = dict.fromkeys(_label(rules, about) for about in known.objects(node, GL.concept))
    closed = (end.last if end else days[-1].as_of)
    return Course(
        iri=node.value, label=" / ".join(labels), start=start, end=end, ongoing={"met": "yes", "unmet": "no"}.get(ongoing, "unknown"),
        response=_label(rules, known.value(node, GL.response)), words=tuple(text.value for record in records for text in known.objects(record, PT.text)),
        state=states[-1].get(node.value), measured=None if measured is None else _label(rules, measured),
        disagreement=classified.value(classification, GL.disagreement) is not None,
        segments=_segments(node.value, start, closed, days, states))


def _segments(course: str, start: Moment | None, end: datetime.date, days: tuple[DatedSnapshot, ...], states: list[dict[str, State]]) -> tuple[Segment, ...]:
    """The states of a course from its start to its end, each from the day on which it was known."""
    found: list[Segment] = []
    if start is None:
        return ()
    for day, state in zip(days, (one.get(course) for one in states), strict=True):
        begin = max(day.as_of, start.first)
        if state is None or begin > end or (found and found[-1].state == state):
            continue
        if found:
            found[-1] = Segment(found[-1].start, begin, found[-1].state)
        found.append(Segment(begin if found else start.first, end, state))
    return tuple(found)


def _course_order(course: Course) -> tuple:
    return course.state is None, course.start.first if course.start else datetime.date.min, course.label


def _measures(rules: Index) -> dict:
    """The measures whose value the guideline compares with a cut-off or watches a response by, with their cut-offs."""
    found: dict = {}
    for criterion in rules.subjects(GL.reads, ox.NamedNode(PT.Observation)):
        for constraint in rules.objects(criterion, GL.constraint):
            if rules.text(constraint, GL.on) == GL.amount:
                for about in rules.objects(criterion, GL.about):
                    for measure in rules.objects(about, GL.covers):
                        found.setdefault(measure, {})[_label(rules, constraint)] = float(rules.text(constraint, GL.limit))
    for machine in rules.subjects(RDF.type, ox.NamedNode(GL.ResponseMachine)):
        for instrument in rules.objects(machine, GL.instrument):
            found.setdefault(instrument, {})
    return found


def _series(rules: Index, known: Index, measure) -> Series:
    cutoffs = tuple(sorted((CutOff(label, value) for label, value in _measures(rules)[measure].items()), key=lambda one: (one.value, one.label)))
    points = []
    for fact in known.subjects(GL.concept, measure):
        amount, when = known.text(fact, GL.quantity), _moment(_number(known, fact, GL.fromMin), _number(known, fact, GL.fromMax))
        if amount is not None and when is not None and PT.Observation in {kind.value for kind in known.objects(fact, GL.kind)}:
            points.append(Point(when, float(amount), fact.value))
    bounds = [None if (text := rules.text(measure, end)) is None else float(text) for end in (GL.minValue, GL.maxValue)]
    return Series(_label(rules, measure), tuple(sorted(points, key=lambda one: (one.when.first, one.when.last, one.fact))), cutoffs, *bounds)


def _marks(rules: Index, known: Index) -> Iterable[Mark]:
    for kind, name in _MARKS.items():
        for fact in known.subjects(RDF.type, ox.NamedNode(kind)):
            if known.value(fact, GL.kind) is None and kind != PT.UnreadAlert:
                continue  # not known yet at the as-of date
            written = next((text for predicate in _WHEN if (text := known.text(fact, predicate))), None)
            when = None if written is None else Moment(*period(written))
            yield Mark(name, _wording(rules, known, fact), when, fact.value)


def _wording(rules: Index, known: Index, fact) -> str:
    about = known.value(fact, PT.about)
    name = _label(rules, about) if about is not None else ", ".join(text.value for text in known.objects(fact, PT.text)) or "not readable"
    amount = known.text(fact, PT.value)
    unit = (known.text(fact, PT.unit) or "").replace("{score}", "")
    says = [_label(rules, term).lower() for predicate in _SAYS for term in known.objects(fact, predicate)]
    said = ([] if amount is None else [f"{float(amount):g} {unit}".strip()]) + ([] if says == ["present"] else says)
    return f"{name}: {', '.join(said)}" if said else name


def _mark_order(mark: Mark) -> tuple:
    return mark.when is None, mark.when.first if mark.when else datetime.date.min, mark.kind, mark.label


def _due(row: dict, names: dict[str, str]) -> Iterable[Due]:
    for one in row["monitoring"]:
        if one["status"] != "done" and one["dueOn"]:
            yield Due(datetime.date.fromisoformat(one["dueOn"]), names[one["course"]], one["label"], one["status"])


def _verdict(row: dict, one: dict) -> str:
    if row["applicability"] == "not-applicable":
        return "outside the population"
    return f"{one['verdict']}, {one['strength']}" if one["strength"] else one["verdict"]


def _change(before: dict | None, after: dict, states0: dict | None, states: dict[str, State], day: DatedSnapshot, courses: tuple[Course, ...]) -> Change | None:
    """What differs between two days; None when nothing does that is shown."""
    old = {one["treatment"]: _verdict(before, one) for one in before["treatments"]} if before else {}
    groups: dict[tuple, list[str]] = {}
    for one in after["treatments"]:
        pair = (old.get(one["treatment"]), _verdict(after, one))
        if pair[0] != pair[1]:
            groups.setdefault(pair, []).append(one["label"])
    flags0, flags = ({flag["flag"]: flag["label"] for flag in row["flags"]} if row else {} for row in (before, after))
    monitored0, monitored = ({(one["course"], one["label"]): one for one in row["monitoring"]} if row else {} for row in (before, after))
    moved = [(key, (states0 or {}).get(key), state) for key, state in states.items() if (states0 or {}).get(key) != state]
    names = {course.iri: course.label for course in courses}
    change = Change(
        date=day.as_of, turns=tuple(Turn(tuple(labels), *pair) for pair, labels in groups.items()),
        states=tuple((names.get(key, key), was.label if was else None, state) for key, was, state in moved),
        raised=tuple(label for key, label in flags.items() if key not in flags0), cleared=tuple(label for key, label in flags0.items() if key not in flags),
        monitoring=tuple((names.get(one["course"], one["treatment"]), one["label"], one["status"]) for key, one in monitored.items() if key not in monitored0 or monitored0[key]["status"] != one["status"]))
    return change if change.turns or change.states or change.raised or change.cleared or change.monitoring else None
