"""The next questions as the report shows them: numbered, with what each answer alone settles, and what settles each verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyoxigraph import NamedNode

from kg.asking import NextQuestions, QuestionSet
from kg.index import Index
from kg.questions import Question
from kg.questions_rows import grouped
from kg.results import word
from kg.terms import RDFS


@dataclass(frozen=True)
class Lead:
    """One way of answering, in words, and the verdicts that it settles alone: words and the treatments (labels)."""

    answer: str
    verdicts: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Asked:
    """One question with its number; `settles` counts the verdicts that some answer to it settles alone."""

    number: int
    text: str
    leads: tuple[Lead, ...]
    settles: int


@dataclass(frozen=True)
class Settled:
    """Treatments (labels) whose verdict the same questions settle: sets of numbers for every way and for some way of answering."""

    treatments: tuple[str, ...]
    always: tuple[str, ...]
    perhaps: tuple[str, ...]
    cut: bool


@dataclass(frozen=True)
class Questions:
    """Everything to ask of one patient; `tried` are the hypothetical patients of the search, `cut` when it was ended early."""

    questions: tuple[Asked, ...]
    settled: tuple[Settled, ...]
    tried: int
    cut: bool


def questions(rules: Index, found: NextQuestions) -> Questions:
    """The questions of one patient in words; `rules` is the index of the guideline."""

    def label(iri: str) -> str:
        return rules.text(NamedNode(iri), RDFS.label) or iri

    numbers = {one.id: number for number, one in enumerate(found.questions, 1)}
    groups: dict[tuple, list[str]] = {}
    for one in found.open:
        key = (_sets(one.deciding, numbers), _sets(one.smallest, numbers), one.cut)
        groups.setdefault(key, []).append(label(one.treatment))
    return Questions(
        tuple(_asked(one, numbers[one.id], found.flips[one.id], label) for one in found.questions),
        tuple(Settled(tuple(labels), *key) for key, labels in groups.items()), found.tried, found.cut,
    )  # fmt: skip


def _asked(question: Question, number: int, flips: dict[str, dict[str, str]], label: Callable[[str], str]) -> Asked:
    leads = []
    for answer, settled in grouped(question, flips):
        verdicts: dict[str, list[str]] = {}
        for treatment, verdict in settled.items():
            verdicts.setdefault((word(NamedNode(verdict)) or "").replace("-", " "), []).append(label(treatment))
        leads.append(Lead(answer, tuple((verdict, tuple(labels)) for verdict, labels in verdicts.items())))
    return Asked(number, question.text, tuple(leads), len({one for settled in flips.values() for one in settled}))


def _sets(groups: Sequence[QuestionSet], numbers: dict[str, int]) -> tuple[str, ...]:
    return tuple(" with ".join(str(numbers[one]) for one in group.questions) for group in groups)
