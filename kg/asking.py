"""The smallest next questions: which sets of questions decide a verdict, found by trying their answers.

Each way of answering is a hypothetical patient, judged by the derivation itself; nothing is reasoned about twice. For
an open verdict two families of sets are found: those of which one way of answering settles it (`smallest`), and those of
which every way does (`deciding`); each of the least size that there is. The search is bounded and says when it is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import pyoxigraph as ox

from kg.evaluate import Evaluation
from kg.hypotheses import Outcome, outcomes, sliced
from kg.questions import Answer, Asked, Question, questions
from kg.terms import GL

Choice = tuple[str, int]


@dataclass(frozen=True)
class Bounds:
    """How far the search goes: questions in a set, and hypothetical patients tried for one patient."""

    questions: int = 3
    patients: int = 1200


@dataclass(frozen=True)
class QuestionSet:
    """A set of questions (ids) and what each way of answering them leads to: values in their order, verdict (IRI)."""

    questions: tuple[str, ...]
    leads: tuple[tuple[tuple[str, ...], str], ...]


@dataclass(frozen=True)
class OpenVerdict:
    """An undetermined verdict and the sets of questions that settle it; `cut` when the bounds ended the search."""

    treatment: str
    questions: tuple[str, ...]
    smallest: tuple[QuestionSet, ...]
    deciding: tuple[QuestionSet, ...]
    cut: bool


@dataclass(frozen=True)
class NextQuestions:
    """What to ask of one patient: questions, those that flip most first; what each answer alone leads to; the verdicts.

    `flips` is, by question id and answer value, the verdicts (IRIs) by treatment that the answer alone settles."""

    patient: ox.NamedNode
    questions: tuple[Question, ...]
    flips: dict[str, dict[str, dict[str, str]]]
    open: tuple[OpenVerdict, ...]
    tried: int

    @property
    def cut(self) -> bool:
        return any(one.cut for one in self.open)

    @property
    def decisive(self) -> tuple[Question, ...]:
        """The questions that are in one of the sets found."""
        named = {name for one in self.open for group in (*one.smallest, *one.deciding) for name in group.questions}
        return tuple(one for one in self.questions if one.id in named)


def next_questions(evaluation: Evaluation, bounds: Bounds = Bounds()) -> tuple[NextQuestions, ...]:
    """The smallest next questions for every patient of an evaluation, in its order."""
    return tuple(_Search(evaluation, questions(evaluation, patient), bounds).run() for patient in evaluation.patients)


class _Search:
    def __init__(self, evaluation: Evaluation, asked: Asked, bounds: Bounds) -> None:
        self.asked, self.bounds, self.as_of = asked, bounds, evaluation.as_of
        self.rules = evaluation.guideline.index
        self.slice = sliced(evaluation.guideline, map(ox.NamedNode, asked.open)) if asked.open else evaluation.guideline
        self.known: dict[frozenset[Choice], Outcome] = {}
        self.full = False

    def run(self) -> NextQuestions:
        single = [(name, number) for name, one in self.asked.questions.items() for number in range(len(one.answers))]
        if self.asked.open:
            self._try([frozenset(), *(frozenset((choice,)) for choice in single)], bounded=False)
        self.classes = {name: self._classes(name) for name in self.asked.questions}
        self.touched = {name: self._touched(name) for name in self.asked.questions}
        flips = {name: {answer.value: self._settled(name, number) for number, answer in enumerate(one.answers)} for name, one in self.asked.questions.items()}
        found = self._sets()
        ranked = sorted(self.asked.questions.values(), key=lambda one: (-len({t for answer in flips[one.id].values() for t in answer}), one.id))
        return NextQuestions(self.asked.patient, tuple(ranked), flips, found, max(len(self.known) - 1, 0))

    def _settled(self, name: str, number: int) -> dict[str, str]:
        verdicts = self.known[frozenset(((name, number),))].verdicts
        return {treatment: verdicts[treatment] for treatment in self.asked.open if verdicts[treatment] != GL.Undetermined}

    def _classes(self, name: str) -> list[int]:
        """One answer for each way in which the answers differ in any criterion, bar or verdict."""
        first: dict[tuple, int] = {}
        for number in range(len(self.asked.questions[name].answers)):
            first.setdefault(self.known[frozenset(((name, number),))].signature, number)
        return list(first.values())

    def _touched(self, name: str) -> frozenset[str]:
        """The criteria that read facts and that the answers of a question can change."""
        base = self.known[frozenset()].degrees
        changed = {criterion for number in range(len(self.asked.questions[name].answers))
                   for criterion, degree in self.known[frozenset(((name, number),))].degrees.items() if base.get(criterion) != degree}
        made = {criterion for criterion in changed if any(self.rules.value(ox.NamedNode(criterion), one) for one in (GL.combine, GL.case))}
        return self.asked.questions[name].criteria | (changed - made)

    def _options(self, group: Sequence[str]) -> list[Sequence[int]]:
        """The answers to try of each question: one of those that are alike, or all where another question bears on the
        same criterion: two answers that are alike alone need not be so together."""
        alone = [all(not self.touched[name] & self.touched[other] for other in group if other != name) for name in group]
        return [self.classes[name] if one else range(len(self.asked.questions[name].answers)) for name, one in zip(group, alone, strict=True)]

    def _try(self, wanted: Sequence[frozenset[Choice]], bounded: bool = True) -> None:
        new = [one for one in dict.fromkeys(wanted) if one not in self.known]
        if bounded and len(self.known) + len(new) > self.bounds.patients:
            self.full = True
            return
        edits = [tuple(self._answer(choice).edit for choice in one) for one in new]
        self.known.update(zip(new, outcomes(self.slice, self.asked.record, self.as_of, edits), strict=True))

    def _answer(self, choice: Choice) -> Answer:
        return self.asked.questions[choice[0]].answers[choice[1]]

    def _sets(self) -> tuple[OpenVerdict, ...]:
        smallest: dict[str, list[QuestionSet]] = {}
        deciding: dict[str, list[QuestionSet]] = {}
        cut: set[str] = set()
        for size in range(1, self.bounds.questions + 1):
            todo = {t: names for t, names in self.asked.open.items() if t not in deciding and len(names) >= size}
            for names in sorted(set(todo.values())):
                treatments = [t for t, own in todo.items() if own == names]
                groups = list(combinations(names, size))
                self._try([answers for group in groups for answers in self._answers(group)])
                if self.full:
                    cut.update(treatments)
                    continue
                for treatment in treatments:
                    found = [self._set(group, treatment) for group in groups]
                    some = [one for one in found if any(verdict != GL.Undetermined for _, verdict in one.leads)]
                    every = [one for one in found if all(verdict != GL.Undetermined for _, verdict in one.leads)]
                    if some:
                        smallest.setdefault(treatment, some)
                    if every:
                        deciding[treatment] = every
        cut |= {t for t, names in self.asked.open.items() if t not in deciding and len(names) > self.bounds.questions}
        return tuple(OpenVerdict(t, names, tuple(smallest.get(t, ())), tuple(deciding.get(t, ())), t in cut) for t, names in self.asked.open.items())

    def _answers(self, group: Sequence[str]) -> Iterator[frozenset[Choice]]:
        for numbers in product(*self._options(group)):
            yield frozenset(zip(group, numbers, strict=True))

    def _set(self, group: Sequence[str], treatment: str) -> QuestionSet:
        leads = []
        for numbers in product(*self._options(group)):
            choices = tuple(zip(group, numbers, strict=True))
            leads.append((tuple(self._answer(one).value for one in choices), self.known[frozenset(choices)].verdicts[treatment]))
        return QuestionSet(tuple(group), tuple(leads))
