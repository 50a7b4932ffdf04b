"""What codes and drug names in records mean, read from the ontology (spec/fhir-input.md, first paragraph and Courses).

Nothing clinical stands here: every code, name, unit and range comes from the store that `CodeIndex.from_store` is
given."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

import pyoxigraph as ox

from kg.terms import CL, GL, ICD_10, PT, RDF, RDFS, SKOS


@dataclass(frozen=True)
class Mapping:
    """One meaning of a code: the concept (IRI), what the code itself says of its presence, and how exact the match is.

    `scaled`: a number under this code counts only when its unit says which scale it is on. `site`:
    from a user's file."""

    concept: str
    presence: str | None = None
    match: str = GL.ExactMatch
    scaled: bool = False
    site: bool = False


@dataclass(frozen=True)
class Measure:
    """A numeric measure: its unit (UCUM) and the range that its instrument allows, each end included."""

    unit: str
    least: Decimal | None
    most: Decimal | None


@dataclass(frozen=True)
class CodeIndex:
    """Look-ups by code and by name, and the few facts about concepts that reading a record needs."""

    exact: MappingType[tuple[str, str], tuple[Mapping, ...]]
    prefixes: MappingType[str, tuple[tuple[str, tuple[Mapping, ...]], ...]]
    names: MappingType[str, tuple[str, ...]]
    above: MappingType[str, frozenset[str]]
    measures: MappingType[str, Measure]
    courses: frozenset[str]
    drugs: frozenset[str]
    substances: MappingType[str, str]
    biosimilars: MappingType[str, str]
    suffixes: frozenset[str]
    days: MappingType[str, int]
    unit_words: MappingType[str, str]
    route_names: frozenset[str]
    site: MappingType[tuple[str, str], tuple[Mapping, ...]]
    may_be: MappingType[str, tuple[str, ...]]

    @classmethod
    def from_store(cls, store: ox.Store) -> CodeIndex:
        """Build the index from a store that holds the clinical and the code files of the ontology."""
        return _build(_Values(store))

    def lookup(self, system: str | None, code: str | None) -> tuple[Mapping, ...]:
        """The meanings of a code: a site's own mapping, else the exact code, else the longest prefix;
        () when unknown."""
        key = normal_code(system, code)
        found = self.site.get(key) or self.exact.get(key)
        if found:
            return found
        return next((meanings for prefix, meanings in self.prefixes.get(key[0], ()) if key[1].startswith(prefix)), ())

    def by_name(self, text: str | None) -> tuple[str, ...]:
        """The concepts that are called exactly so, letter case, spacing and marks such as ® aside."""
        return self.names.get(normal_name(text), ())

    def names_within(self, text: str | None) -> tuple[str, ...]:
        """The concepts whose names stand in the text as whole words; of overlapping names the longest counts."""
        found = (concept for hit in self._any_name.finditer(normal_name(text)) for concept in self.names[hit.group()])
        return tuple(dict.fromkeys(found))

    def covers(self, whole: str, part: str) -> bool:
        """True when `part` is `whole`, lies below it, or is a biosimilar of it."""
        if whole in self.above.get(part, ()) or whole == part:
            return True
        return self.biosimilars.get(whole) == part

    def most_specific(self, concepts: Iterable[str]) -> tuple[str, ...]:
        """The distinct concepts, in order, without those that cover another of them."""
        distinct = tuple(dict.fromkeys(concepts))
        return tuple(c for c in distinct if not any(other != c and self.covers(c, other) for other in distinct))

    def suffixed(self, text: str | None) -> tuple[tuple[str, str, bool], ...]:
        """Names with a four-letter suffix in the text: (substance, suffix, whether the suffix is known)."""
        found = []
        for name, suffix in self._any_suffixed.findall(normal_name(text)):
            substances = {self.substances[c] for c in self.names.get(name, ()) if c in self.substances}
            found.extend((substance, suffix, suffix in self.suffixes) for substance in sorted(substances))
        return tuple(found)

    def is_oral(self, text: str | None) -> bool:
        """True when the text names the oral route."""
        words = f" {normal_name(text)} "
        return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words) for name in self.route_names)

    def knows_route(self, system: str | None) -> bool:
        """True when the mappings know the oral route in this code system: another code of it is another route."""
        return any(
            key[0] == normal_code(system, "")[0] and any(m.concept == PT.Oral for m in found)
            for key, found in self.exact.items()
        )

    def extended(self, rows: MappingType[tuple[str, str], tuple[Mapping, ...]]) -> CodeIndex:
        """The same index with a site's own mappings, which come before everything else."""
        return replace(self, site={**self.site, **rows})

    @cached_property
    def _any_name(self) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w){_alternatives(self.names)}(?!\w)")

    @cached_property
    def _any_suffixed(self) -> re.Pattern[str]:
        named = [name for name, concepts in self.names.items() if any(c in self.substances for c in concepts)]
        return re.compile(rf"(?<![\w-])({_alternatives(named)})-([a-z]{{4}})(?![\w-])")


_MARKS = str.maketrans({"®": None, "™": None, "\u2010": "-", "\u2011": "-", "\u2013": "-", "\u00a0": " "})


def normal_name(text: str | None) -> str:
    """A name as it is compared: case folded, single spaces, no trademark signs, no closing punctuation."""
    return " ".join((text or "").translate(_MARKS).casefold().split()).strip(" .,;:")


def normal_code(system: str | None, code: str | None) -> tuple[str, str]:
    """System and code as they are compared; ICD-10 codes without the dot."""
    system, code = (system or "").strip().rstrip("/"), (code or "").strip()
    return (system, code.replace(".", "").upper()) if system.startswith(ICD_10) else (system, code)


class _Values:
    """The objects of a property, by subject; terms as plain strings. Made once a property."""

    def __init__(self, store: ox.Store) -> None:
        self._store = store

    def of(self, predicate: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for quad in self._store.quads_for_pattern(None, ox.NamedNode(predicate), None, None):
            if not isinstance(quad.subject, ox.BlankNode) and not isinstance(quad.object, ox.BlankNode):
                found[quad.subject.value].append(quad.object.value)
        return {subject: sorted(set(objects)) for subject, objects in found.items()}


def _build(values: _Values) -> CodeIndex:
    classes, types, labels = values.of(RDFS.subClassOf), values.of(RDF.type), values.of(RDFS.label)
    above = _closure(classes, types)
    exact, prefixes, code_labels = _codes(values, labels)
    substances = {drug: found[0] for drug, found in values.of(GL.activeSubstance).items()}
    tops = {c for c, parents in classes.items() if GL.Concept in parents and c.startswith(CL.iri)}
    drug_roots = {top for drug in substances for top in above[drug] & tops}
    drugs = frozenset(c for c, over in above.items() if over & drug_roots)
    names = _names(drugs - drug_roots, labels, values.of(SKOS.altLabel))
    names.update(_names({GL.NoKnownAllergy}, labels, values.of(SKOS.altLabel)))
    suffixes = values.of(GL.nameSuffix)
    days = {
        unit: int(n[0]) for node, n in values.of(GL.inDays).items() for unit in values.of(SKOS.notation).get(node, ())
    }
    words = {
        word: unit
        for node, units in values.of(SKOS.notation).items()
        if node in values.of(GL.inDays)
        for label in labels.get(node, ())
        for unit in units
        for word in (label.casefold(), label.casefold() + "s")
    }
    gaps = set(values.of(GL.joinGap))
    oral = {
        PT.Oral.rsplit("#")[-1],
        *labels.get(PT.Oral, ()),
        *values.of(SKOS.altLabel).get(PT.Oral, ()),
        *code_labels.get(PT.Oral, ()),
    }
    return CodeIndex(
        exact,
        prefixes,
        names,
        above,
        _measures(values),
        frozenset(c for c, over in above.items() if over & gaps),
        drugs,
        substances,
        {substances[b]: b for b in suffixes if substances.get(b, b) != b},
        frozenset(s.casefold() for found in suffixes.values() for s in found),
        days,
        words,
        frozenset(map(normal_name, oral)),
        {},
        {vague: tuple(found) for vague, found in values.of(GL.mayBe).items()},
    )


def _closure(classes: dict[str, list[str]], types: dict[str, list[str]]) -> dict[str, frozenset[str]]:
    """Each class and individual with itself and every class above it."""
    closed: dict[str, frozenset[str]] = {}

    def over(node: str, seen: frozenset[str]) -> frozenset[str]:
        if node not in closed:
            parents = [
                p
                for p in (*classes.get(node, ()), *types.get(node, ()))
                if p not in seen and p.startswith((CL.iri, GL.iri))
            ]
            closed[node] = frozenset({node}).union(*(over(p, seen | {node}) for p in parents))
        return closed[node]

    for node in {*classes, *types}:
        if node.startswith((CL.iri, GL.iri)):
            over(node, frozenset())
    return closed


def _codes(values: _Values, labels: dict[str, list[str]]):
    """Exact codes, prefixes (longest first, by system), and the labels of the codes of each concept."""
    notation, maps, match = values.of(SKOS.notation), values.of(GL.mapsTo), values.of(GL.match)
    prefix, presence, scaled = values.of(GL.prefix), values.of(GL.presence), values.of(GL.needsScaleUnit)
    exact: dict[tuple[str, str], list[Mapping]] = defaultdict(list)
    begins: dict[str, dict[str, list[Mapping]]] = defaultdict(lambda: defaultdict(list))
    code_labels: dict[str, list[str]] = defaultdict(list)
    for node, systems in values.of(GL.system).items():
        for concept in maps.get(node, ()):
            meaning = Mapping(
                concept, presence.get(node, [None])[0], match.get(node, [GL.ExactMatch])[0], node in scaled
            )
            code_labels[concept].extend(labels.get(node, ()))
            for system, code in (normal_code(s, n) for s in systems for n in notation.get(node, ())):
                (begins[system][code] if node in prefix else exact[system, code]).append(meaning)
    return (
        {key: tuple(found) for key, found in exact.items()},
        {
            system: tuple((code, tuple(found[code])) for code in sorted(found, key=len, reverse=True))
            for system, found in begins.items()
        },
        code_labels,
    )


def _names(concepts: Iterable[str], *tables: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for concept in sorted(concepts):
        for name in {normal_name(label) for table in tables for label in table.get(concept, ())} - {""}:
            found[name].append(concept)
    return {name: tuple(concepts) for name, concepts in found.items()}


def _alternatives(names: Iterable[str]) -> str:
    """A pattern for any of the names, the longest first; for nothing when there are none."""
    return f"(?:{'|'.join(map(re.escape, sorted(names, key=lambda name: (-len(name), name)))) or '(?!)'})"


def _measures(values: _Values) -> dict[str, Measure]:
    least, most = values.of(GL.minValue), values.of(GL.maxValue)

    def bound(table: dict[str, list[str]], concept: str) -> Decimal | None:
        return Decimal(table[concept][0]) if concept in table else None

    return {
        c: Measure(units[0], bound(least, c), bound(most, c))
        for c, units in values.of(GL.unit).items()
        if c.startswith(CL.iri)
    }
