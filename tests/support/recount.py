"""The counts of a population once more, by SPARQL over its proofs: a named graph a patient, the guideline in the default graph."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyoxigraph as ox

from kg.guideline import Guideline

_PREFIX = "PREFIX gl: <https://w3id.org/sacroiliitis-kg/core#> PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>\n"
#: Who is outside the population is in no table of rules.
_INSIDE = "FILTER NOT EXISTS { GRAPH ?g { ?anybody gl:applicability gl:NotApplicable } }"

#: By table (of attrition there are many): the query, whose last variable counts patients and whose others are names and words (IRIs by their local name).
QUERIES = {
    "applicability": "SELECT ?status (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?p gl:applicability ?status } } GROUP BY ?status",
    "settled": """SELECT ?status (COUNT(?g) AS ?n) { { SELECT ?g (IF(SUM(?one) > 0, "open", "settled") AS ?status) {
        GRAPH ?g { ?v a gl:Verdict . OPTIONAL { ?v gl:missing ?what } BIND (IF(BOUND(?what), 1, 0) AS ?one) } } GROUP BY ?g } } GROUP BY ?status""",
    "verdicts": "SELECT ?name ?verdict (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?v a gl:Verdict ; gl:treatment ?t ; gl:verdict ?verdict } ?t gl:slug ?name } GROUP BY ?name ?verdict",
    "current": "SELECT ?name ?verdict (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?v a gl:Verdict ; gl:treatment ?t ; gl:verdict ?verdict ; gl:current true } ?t gl:slug ?name } GROUP BY ?name ?verdict",
    "rules": f"""SELECT ?rule ?word (COUNT(?g) AS ?n) {{ {{ SELECT ?g ?rule (MAX(COALESCE(?d, 0)) AS ?best) {{
            {{ SELECT DISTINCT ?rule {{ ?rule gl:treatment ?treated ; gl:needs ?anything }} }}
            {{ SELECT ?g {{ GRAPH ?g {{ ?p gl:applicability ?any }} {_INSIDE} }} }}
            OPTIONAL {{ GRAPH ?g {{ ?status a gl:RecommendationStatus ; gl:recommendation ?rule ; gl:degree ?d }} }}
        }} GROUP BY ?g ?rule }} BIND (IF(?best = 2, "applies", IF(?best = 1, "unknown", "does-not-apply")) AS ?word) }} GROUP BY ?rule ?word""",
    "blocked": "SELECT ?what (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?v gl:missing ?what } } GROUP BY ?what",
    "blockedAlone": """SELECT ?what (COUNT(DISTINCT ?g) AS ?n) { { SELECT ?g ?v (COUNT(DISTINCT ?one) AS ?times) (MIN(STR(?one)) AS ?what) {
        GRAPH ?g { ?v gl:missing ?one } } GROUP BY ?g ?v } FILTER (?times = 1) } GROUP BY ?what""",
    "flags": "SELECT ?name (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?raised a gl:RaisedFlag ; gl:flag ?flag } ?flag gl:slug ?name } GROUP BY ?name",
    "documentation": "SELECT ?name ?how (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?status a gl:DocumentationStatus ; gl:item ?item ; gl:itemStatus ?how } ?item gl:id ?name } GROUP BY ?name ?how",
    "monitoring": "SELECT ?name ?how (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?status a gl:MonitoringStatus ; gl:treatment ?t ; gl:monitoringStatus ?how } ?t gl:slug ?name } GROUP BY ?name ?how",
    "prerequisites": "SELECT ?name ?how (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?status a gl:PrerequisiteStatus ; gl:rule ?rule ; gl:prerequisite ?how } ?rule gl:id ?name } GROUP BY ?name ?how",
}


def load(folder: Path, guideline: Guideline) -> ox.Store:
    """The proofs of a cohort's folder, each patient in a graph, and the rules beside them."""
    store = ox.Store()
    for path in sorted((folder / "proofs").glob("*.nq")):
        store.bulk_load(path=str(path), format=ox.RdfFormat.N_QUADS)
    store.extend(ox.Quad(*t) for t in (*guideline.triples, *guideline.closure))
    return store


def recount(store: ox.Store, table: str) -> Counter:
    """How many patients by the parts of a table's key."""
    if table == "attrition":
        return _attrition(store)
    found: Counter = Counter()
    for row in store.query(_PREFIX + QUERIES[table]):
        *parts, number = [row[index].value for index in range(len(row))]
        found[tuple(map(_word, parts))] += int(number)
    return found


def _attrition(store: ox.Store) -> Counter:
    """A query for each step of each rule: who meets all criteria before it, by how they stand to it; the population comes first, then names."""
    needs = "SELECT DISTINCT ?rule ?criterion ?later { ?guideline a gl:Guideline ; gl:population ?whole . ?rule gl:treatment ?t ; gl:needs ?criterion BIND (?criterion != ?whole AS ?later) } ORDER BY ?rule ?later ?criterion"
    steps: dict[str, list[str]] = {}
    for row in store.query(_PREFIX + needs):
        steps.setdefault(row["rule"].value, []).append(row["criterion"].value)
    found: Counter = Counter()
    for rule, criteria in steps.items():
        for place, criterion in enumerate(criteria):
            met = " ".join(f"?met{n} a gl:CriterionResult ; gl:criterion <{one}> ; gl:truth gl:Met ." for n, one in enumerate(criteria[:place]))
            asked = f"GRAPH ?g {{ ?result a gl:CriterionResult ; gl:criterion <{criterion}> ; gl:truth ?truth . {met} }}"
            for row in store.query(f"{_PREFIX} SELECT ?truth (COUNT(DISTINCT ?g) AS ?n) {{ {asked} {_INSIDE} }} GROUP BY ?truth"):
                found[_word(rule), str(place), _word(criterion), _word(row["truth"].value)] += int(row["n"].value)
    return found


def _word(value: str) -> str:
    """The local name of an IRI of the vocabulary in the spelling of the JSON, that of another IRI as it is."""
    if not value.startswith("http"):
        return value
    space, _, name = value.rpartition("#")
    if not space.endswith("/core") or name in ("UnconfirmedContraindication", "PastIntolerance"):
        return name
    name = "".join(f"-{one.lower()}" if one.isupper() else one for one in name).lstrip("-")
    return {"status-unknown": "unknown"}.get(name, name.removeprefix("prerequisite-"))
