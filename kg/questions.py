"""What can be asked of a patient: for each verdict that is open, the facts that are missing or incomplete.

What a criterion asks is read from its own structure by the query `what-can-be-asked`; a number is represented by the
values around each threshold that reads it, so that every way of answering is tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

import pyoxigraph as ox

from kg.evaluate import Evaluation
from kg.guideline import Guideline
from kg.hypotheses import Edit, bearing, of_patient
from kg.index import Index
from kg.queries import folder
from kg.slots import DATES, NOT_SO, Slot, edit
from kg.terms import GL, PT, RDF, RDFS

_READ_AS = {PT.Course: (GL.Episode, GL.OngoingEpisode), PT.Diagnosis: (PT.Diagnosis, GL.DatedActiveDiagnosis)}
_STEPS = {"{score}": Decimal("0.1")}


@dataclass(frozen=True)
class Answer:
    """One way to answer: its value (IRI, number or date in lexical form), the value in words, what it changes."""

    value: str
    label: str
    edit: Edit


@dataclass(frozen=True)
class Question:
    """One question about one patient. `type` is number, days, choice, boolean or date; `unit` a UCUM code.

    `answers` represent every way to answer; `criteria` are those that it can settle, `bars` the treatments whose bar
    it can settle (IRIs)."""

    slot: Slot
    text: str
    type: str
    unit: str | None
    least: Decimal | None
    most: Decimal | None
    answers: tuple[Answer, ...]
    criteria: frozenset[str]
    bars: frozenset[str]

    @property
    def id(self) -> str:
        return self.slot.link_id


@dataclass(frozen=True)
class Asked:
    """The open verdicts of one patient (treatment IRIs), each with its questions by id, and the questions."""

    patient: ox.NamedNode
    record: tuple[ox.Triple, ...]
    open: dict[str, tuple[str, ...]]
    questions: dict[str, Question]


@lru_cache(maxsize=8)
def templates(guideline: Guideline) -> tuple[dict[str, str], ...]:
    """The rows of `what-can-be-asked` for a guideline, as dictionaries of IRIs and lexical forms."""
    query = next(one for one in folder("ask") if one.name == "what-can-be-asked")
    names, rows = guideline.engine().select(query.text)
    return tuple({name: term.value for name, term in zip(names, row, strict=True) if term is not None} for row in rows)


def questions(evaluation: Evaluation, patient: ox.NamedNode) -> Asked:
    """What can be asked of a patient of an evaluation so that the undetermined verdicts may be determined."""
    return Asking(evaluation, patient).asked()


class Asking:
    """One patient of an evaluation beside the rules: what is open, what the record says of it, what could be asked."""

    def __init__(self, evaluation: Evaluation, patient: ox.NamedNode) -> None:
        self.patient, self.day = patient, evaluation.as_of
        self.rules, self.rows = evaluation.guideline.index, templates(evaluation.guideline)
        self.population = evaluation.guideline.iri
        self.record = of_patient(evaluation.facts, patient)
        self.facts = Index(self.record)
        self.derived = Index(t for t in evaluation.derived if t.subject.value.startswith(patient.value + "/") or "-bars-" in t.subject.value)
        results = (one for one in self.derived.subjects(RDF.type, ox.NamedNode(GL.CriterionResult)) if self.derived.value(one, GL.patient) == patient)
        self.results = {self.derived.value(one, GL.criterion): one for one in results}

    def asked(self) -> Asked:
        found: dict[str, Question] = {}
        open_: dict[str, tuple[str, ...]] = {}
        for node in self.derived.subjects(GL.verdict, ox.NamedNode(GL.Undetermined)):
            if self.derived.value(node, GL.patient) != self.patient:
                continue
            treatment = self.derived.value(node, GL.treatment)
            leaves = self._leaves(treatment)
            mine = {one.id: one for one in (*self._new(leaves), *self._completions(leaves), *self._bars(treatment, leaves))}
            open_[treatment.value] = tuple(sorted(mine))
            for name, one in mine.items():
                old = found.get(name, one)
                answers = {answer.value: answer for answer in (*old.answers, *one.answers)}
                found[name] = Question(one.slot, one.text, one.type, one.unit, one.least, one.most, tuple(sorted(answers.values(), key=_rank)),
                                       old.criteria | one.criteria, old.bars | one.bars)
        order = {one: int(self.rules.text(ox.NamedNode(one), GL.order) or 10**6) for one in open_}
        return Asked(self.patient, self.record, {one: open_[one] for one in sorted(open_, key=lambda one: (order[one], one))}, found)

    def degree(self, criterion) -> int:
        return int(self.derived.text(self.results.get(criterion), GL.degree) or 1)

    def _leaves(self, treatment) -> dict[ox.NamedNode, bool]:
        """The open criteria that read facts, below the rules that leave a verdict open; True where one has to end what it met."""
        found: dict[ox.NamedNode, bool] = {}
        needs = [(one, False) for one in self.rules.objects(self.population, GL.population)]
        for rule in bearing(self.rules, treatment):
            own = [*self.rules.objects(rule, GL.needs), *(c for one in self.rules.objects(rule, GL.compares) for c in self.rules.objects(one, GL.criterion))]
            if all(self.degree(one) > 0 for one in own):
                caution = ox.NamedNode(GL.Caution) in self.rules.objects(rule, RDF.type)
                needs += [(one, caution) for one in own]
        for need, caution in needs:
            if self.degree(need) == 1 or caution:
                for leaf in (need, *self.rules.objects(need, GL.drawsOn)):
                    if self._is_open(leaf) or (caution and self.degree(leaf) == 2):
                        found[leaf] = found.get(leaf, False) or caution
        return found

    def _is_open(self, leaf) -> bool:
        if not any(self.rules.value(leaf, one) for one in (GL.reads, GL.years, GL.counts, GL.target)):
            return False
        node = self.results.get(leaf)
        unread = node is None or self.derived.text(node, GL.answered) == "false" or self.derived.text(node, GL.daysAtMost) == "0"
        return self.degree(leaf) == 1 or unread

    def _new(self, leaves: dict) -> Iterator[Question]:
        """Questions for facts of which the record has none that counts."""
        slots: dict[Slot, set[str]] = {}
        for row in self.rows:
            leaf = ox.NamedNode(row["criterion"])
            if leaf not in leaves or leaves[leaf] or row["property"] == PT.response:
                continue
            procedures = self.read_by(leaf, PT.Procedure) if row["kind"] == PT.Observation and not self.reads(leaf, PT.Observation) else [None]
            for whole in procedures:
                if row["kind"] == PT.Course and self.derived.text(self.results.get(leaf), GL.daysAtMost) != "0":
                    continue  # what is on record may count: it is completed, not doubled
                if whole is None or not self._measured(leaf, whole, row["concept"]):
                    slots.setdefault(Slot(row["kind"], row["property"], row.get("concept"), None, whole.value if whole else None), set()).add(row["criterion"])
        for slot, criteria in slots.items():
            same = [row for row in self.rows if (row["kind"], row["property"], row.get("concept")) == (slot.kind, slot.property, slot.concept)]
            asks = [row["ask"] for row in same if row.get("ask") and row["criterion"] in criteria]
            if asks:
                yield self.question(slot, asks[0], same, criteria)

    def _measured(self, leaf, procedure, concept: str) -> bool:
        """True when an effect of a procedure is on record, and not one that may have grown since."""
        grows = any(self.rules.text(one, GL.measure) == concept and self.rules.text(one, GL.growing) for one in self.rules.objects(leaf, GL.constraint))
        return not grows and any(self.facts.text(one, PT.about) == concept for one in self.facts.subjects(PT.partOf, procedure))

    def question(self, slot: Slot, text: str, rows: list[dict[str, str]], criteria: set[str]) -> Question:
        first = rows[0]
        least, most = (Decimal(first[key]) if key in first else None for key in ("least", "most"))
        if slot.whole:
            text = f"{self.named(ox.NamedNode(slot.whole))}: {text}"
            done = _day(self.facts.text(ox.NamedNode(slot.whole), PT.date))
            if done and first["unit"] == "d":
                most = Decimal((self.day - done).days)
        if slot.property == PT.birthDate:
            return self._dates(slot, text, self._birthdays({int(row["limit"]) for row in rows}), criteria)
        if slot.property == PT.value or slot.kind == PT.Course:
            step = _STEPS.get(first["unit"], Decimal(1))
            limits = {Decimal(row["limit"]) for row in rows}
            values = sorted({one for limit in (*limits, *([most] if slot.whole and most is not None else ())) for one in (limit - step, limit, limit + step) if (least is None or one >= least) and (most is None or one <= most)})
            unit = first["unit"]
            answers = tuple(self.answer(slot, f"{one.normalize():f}", f"{one.normalize():f} {_UNITS.get(unit, unit)}".strip(), unit) for one in values)
            return Question(slot, text, "days" if unit == "d" else "number", unit, least, most, answers, frozenset(criteria), frozenset())
        if slot.property == PT.presence:
            answers = (self.answer(slot, PT.Present, "yes"), self.answer(slot, PT.Absent, "no"))
            return Question(slot, text, "boolean", None, None, None, answers, frozenset(criteria), frozenset())
        return self._choice(slot, text, {row["choice"] for row in rows}, criteria)

    def _choice(self, slot: Slot, text: str, values: Iterable[str], criteria: Iterable[str], bars: Iterable[str] = (), words: dict[str, str] | None = None) -> Question:
        labels = {one: (words or {}).get(one) or self.rules.text(ox.NamedNode(one), RDFS.label) or one for one in sorted(values)}
        answers = tuple(self.answer(slot, one, label if label[:2].isupper() else label[:1].lower() + label[1:]) for one, label in labels.items())
        return Question(slot, text, "choice", None, None, None, answers, frozenset(criteria), frozenset(bars))

    def _dates(self, slot: Slot, text: str, days: Iterable[date], criteria: Iterable[str]) -> Question:
        answers = tuple(self.answer(slot, day.isoformat(), day.isoformat()) for day in sorted(set(days)))
        return Question(slot, text, "date", None, None, None, answers, frozenset(criteria), frozenset())

    def answer(self, slot: Slot, value: str, label: str, unit: str | None = None) -> Answer:
        return Answer(value, label, edit(slot, value, self.day, self.patient, self.record, unit if slot.property == PT.value else None))

    def _birthdays(self, years: set[int]) -> list[date]:
        known = self.facts.text(self.patient, PT.birthDate) or ""
        found = []
        for limit in years:
            try:
                turned = self.day.replace(year=self.day.year - limit)
            except ValueError:
                turned = self.day.replace(year=self.day.year - limit, day=28)
            found += [turned + timedelta(days=shift) for shift in (-1, 0, 1)]
        return [day for day in found if day.isoformat().startswith(known)]

    def reads(self, leaf, kind: str) -> bool:
        counts = kind == PT.Course and self.rules.value(leaf, GL.counts) is not None
        return counts or any(self.rules.value(leaf, GL.reads) and ox.NamedNode(one) in self.rules.objects(leaf, GL.reads) for one in _READ_AS.get(kind, (kind,)))

    def read_by(self, leaf, kind: str) -> list[ox.NamedNode]:
        """The facts of a kind about a concept that a criterion reads, whatever their dates."""
        if not self.reads(leaf, kind):
            return []
        concepts = {*self.rules.objects(leaf, GL.matches), *self.rules.objects(leaf, GL.mayMatch)}
        return [one for one in self.facts.subjects(RDF.type, ox.NamedNode(kind)) if self.facts.value(one, PT.about) in concepts]

    def _completions(self, leaves: dict) -> Iterator[Question]:
        """Questions for what facts on record leave out."""
        asked: dict[Slot, tuple[list, set[str]]] = {}
        for leaf, ends in leaves.items():
            for kind in (PT.Observation, PT.Diagnosis, PT.Course, PT.Procedure, PT.Plan):
                for fact in self.read_by(leaf, kind):
                    for property_, values in self._gaps(leaf, kind, fact, ends):
                        slot = Slot(kind, property_, self.facts.text(fact, PT.about), fact.value)
                        known = asked.setdefault(slot, ([], set()))
                        known[0].extend(value for value in values if value not in known[0])
                        known[1].add(leaf.value)
        for slot, (values, criteria) in asked.items():
            text = f"{self.named(ox.NamedNode(slot.fact or ''))}: {self.rules.text(ox.NamedNode(slot.property), GL.question)}"
            if slot.property in DATES:
                yield self._dates(slot, text, values, criteria)
            else:
                yield self._choice(slot, text, values, criteria)

    def _gaps(self, leaf, kind: str, fact, ends: bool) -> Iterator[tuple[str, list]]:
        presence = self.facts.text(fact, PT.presence)
        if kind == PT.Diagnosis and ends and presence == PT.Present:
            yield PT.presence, [PT.Present, PT.Resolved]
        elif kind == PT.Diagnosis and presence in (None, PT.Unconfirmed):
            yield PT.presence, [PT.Present, PT.Absent]
        may_be = [one.value for one in self.rules.objects(self.facts.value(fact, PT.about), GL.mayBe)]
        if may_be:
            yield PT.about, may_be
        if kind == PT.Course:
            yield from self._response(leaf, fact)
            status = self.facts.text(fact, PT.status)
            if status in (None, PT.StatusUnknown) and not self.facts.text(fact, PT.end):
                yield PT.status, [PT.Active, PT.Stopped]
        for property_ in self._undated(leaf, kind, fact):
            days = self.days(leaf, kind, fact, property_)
            if days:
                yield property_, days

    def _response(self, leaf, fact) -> Iterator[tuple[str, list[str]]]:
        constraints = self.rules.objects(leaf, GL.constraint)
        vague = {one for c in constraints for one in self.rules.objects(c, GL.unknownIf)}
        if not self.rules.value(leaf, GL.counts) and not any(self.rules.text(c, GL.property) in (GL.response, GL.setback) for c in constraints):
            return
        said = [one for one in self.facts.objects(fact, PT.response)]
        narrower = {one: self.rules.value(one, GL.narrows) for one in self.rules.subjects(RDF.type, ox.NamedNode(PT.Response))}
        if len(said) > 1:
            yield PT.response, [one.value for one in said]
        elif not said or said[0].value == PT.UnreadReason:
            # a vague value is offered where it decides, else those that say it more exactly
            broad = {one for one in narrower.values() if one is not None}
            yield PT.response, [one.value for one, broader in narrower.items() if one.value != PT.UnreadReason
                                and not (one in broad and one in vague) and not (broader is not None and broader not in vague)]
        elif said[0] in vague:
            yield PT.response, [one.value for one, broader in narrower.items() if broader == said[0]]

    def _undated(self, leaf, kind: str, fact) -> Iterator[str]:
        def vague(property_: str) -> bool:
            return len(self.facts.text(fact, property_) or "") < 10

        if kind == PT.Observation or (kind == PT.Procedure and not self.facts.text(fact, PT.start)):
            if vague(PT.date):
                yield PT.date
        if kind == PT.Diagnosis and ox.NamedNode(GL.DatedActiveDiagnosis) in self.rules.objects(leaf, GL.reads) and vague(PT.start):
            yield PT.start
        if kind in (PT.Course, PT.Plan):
            planned = any(self.rules.text(c, GL.on) == GL.scheduled for c in self.rules.objects(leaf, GL.constraint))
            if vague(PT.start) and kind == PT.Course:
                yield PT.start
            if vague(PT.end) and (planned or self.facts.text(fact, PT.status) not in (PT.Active, None)):
                yield PT.end

    def days(self, leaf, kind: str, fact, property_: str, others: bool = True) -> list[date]:
        """Days that tell apart what a date can decide: each limit of the criterion away from each date it is set against.

        `others`: the dates of other facts that the criterion reads, and the gap over which they are joined, among them."""
        known = self.facts.text(fact, property_) or ""
        known = known if len(known) < 10 else ""
        own = [_day(self.facts.text(fact, one)) for one in (PT.start, PT.end, PT.date, PT.recorded) if one != property_]
        anchors = {self.day, *(one for one in own if one)}
        anchors |= {one for other in (self.read_by(leaf, kind) if others else ()) for key in (PT.start, PT.end, PT.date) for one in [_day(self.facts.text(other, key))] if one}
        start = _day(self.facts.text(fact, PT.start))
        low = start if property_ == PT.end and start else self.day - timedelta(days=800)
        high = self.day if kind != PT.Plan and not (property_ == PT.end and self.facts.text(fact, PT.status) == PT.Active) else self.day + timedelta(days=800)
        if property_ == PT.start and _day(self.facts.text(fact, PT.end)):
            high = min(high, _day(self.facts.text(fact, PT.end)))
        limits = {0, *(int(float(one)) for node in (leaf, *self.rules.objects(leaf, GL.constraint), *self.rules.objects(leaf, GL.staleAfter)) for one in [self.rules.text(node, GL.limit)] if one)}
        if others:
            limits |= {int(one.value) for one in self.rules.objects(self.facts.value(fact, PT.about), GL.joinDays)}
        found = {anchor + timedelta(days=sign * limit + shift) for anchor in anchors for limit in limits for sign in (1, -1) for shift in (-1, 0, 1)}
        found |= {low, high}
        if known:
            month = (int(known[5:7]) if len(known) > 4 else 1), (int(known[5:7]) if len(known) > 4 else 12)
            found |= {date(int(known[:4]), month[0], 1), _last(int(known[:4]), month[1])}
        return sorted(day for day in found if day.isoformat().startswith(known) and low <= day <= high)

    def _bars(self, treatment, leaves: dict) -> Iterator[Question]:
        """Questions for bars of which the record is not sure, on the treatment and on those that an open criterion lists."""
        treatments = {treatment, *(target for leaf in leaves for target in self.rules.objects(leaf, GL.target))}
        by_fact: dict[Slot, tuple[str, set[str]]] = {}
        for bar in self.derived.subjects(RDF.type, ox.NamedNode(GL.Bar)):
            barred = self.derived.value(bar, GL.treatment)
            if barred not in treatments or self.derived.text(bar, GL.degree) != "1" or self.derived.value(bar, GL.patient) != self.patient:
                continue
            kind = self.derived.value(bar, GL.barKind)
            for fact in self.derived.objects(bar, GL.usedFact):
                about = self.facts.text(fact, PT.about)
                if self.facts.text(fact, PT.certainty):
                    slot = Slot(PT.Contraindication, PT.certainty, about, fact.value)
                elif PT.UnreadReason in {one.value for one in self.facts.objects(fact, PT.response)}:
                    slot = Slot(PT.Course, PT.response, about, fact.value)
                else:
                    slot = Slot(PT.Contraindication, PT.certainty, about)
                by_fact.setdefault(slot, (f"{self.named(fact)}: {self.rules.text(kind, GL.ask)}", set()))[1].add(barred.value)
        for slot, (text, bars) in by_fact.items():
            criteria = {leaf.value for leaf in leaves if self.rules.objects(leaf, GL.target)}
            if slot.property == PT.response:
                values = [one.value for one in self.rules.subjects(RDF.type, ox.NamedNode(PT.Response)) if one.value != PT.UnreadReason]
                yield self._choice(slot, text, values, criteria, bars)
            else:
                words = {PT.Confirmed: "yes", NOT_SO: "no"} if slot.fact else {PT.Confirmed: "no, it is contraindicated", NOT_SO: "yes (no fact can say so)"}
                yield self._choice(slot, text, words, criteria, bars, words)

    def named(self, fact) -> str:
        about = self.facts.value(fact, PT.about)
        label = self.rules.text(about, RDFS.label) if about is not None else fact.value
        start, end, day = (self.facts.text(fact, one) for one in (PT.start, PT.end, PT.date))
        when = f"{start} to {end}" if start and end else f"from {start}" if start else f"until {end}" if end else day
        return f"{label} ({when})" if when else f"{label}"


_UNITS = {"{score}": "", "d": "days"}


def ranked_value(answer: Answer) -> Decimal:
    """The number that an answer gives.

    Raises ArithmeticError when it is none."""
    return Decimal(answer.value)


def _rank(answer: Answer) -> tuple:
    try:
        return 0, ranked_value(answer), ""
    except ArithmeticError:
        return 1, Decimal(0), answer.value


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text and len(text) == 10 else None


def _last(year: int, month: int) -> date:
    return (date(year + month // 12, month % 12 + 1, 1)) - timedelta(days=1)
