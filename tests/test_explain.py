"""Explanations: golden trees, and what must hold of every tree of every vignette.

`python -m tests.test_explain` writes the golden trees anew; look at what changed before keeping them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pyoxigraph as ox
import pytest
from typer.testing import CliRunner

from kg import explain, fhir
from kg.cli import app
from kg.errors import InputError
from kg.evaluate import evaluate
from kg.explain import words
from tests.support import vignettes

GOLDEN = Path(__file__).parent / "explain"
ROOT = Path(__file__).parent.parent
EXAMPLE = str(ROOT / "examples" / "loss-of-response.json")
SCHEMA = json.loads((ROOT / "kg" / "schema" / "explain.schema.json").read_text(encoding="utf-8"))
CODES = {"NotFound", "Missing", "Present", "InvalidAttribute", "DateOutOfRange", "ValueOutOfRange", "CountOutOfRange"}
OWN = {vignette.name: vignette for vignette in vignettes.read_all(vignettes.OWN)}
#: Vignette and treatment, and `--not` treatment or "".
TREES = [
    ("secondary-non-response-to-golimumab-opens-the-other-three", "adalimumab", ""),
    ("pain-of-four-is-not-above-four", "etanercept", ""),
    ("stable-disease-prefers-the-nsaid-on-demand", "nsaid-continuous", "nsaid-on-demand"),
    ("two-blocks-on-one-day-are-not-two", "si-joint-fusion", ""),
]
SAMPLE = [pytest.param(name, id=name, marks=[] if place % 17 == 0 else pytest.mark.slow) for place, name in enumerate(OWN)]


@cache
def context(name: str) -> explain.Context:
    vignette = OWN[name]
    facts = fhir.lift([(name, vignette.bundle)], vignettes.codes()).triples
    return explain.prepare(evaluate(facts, vignettes.guideline(), vignette.as_of))


def tree(name: str, treatment: str, other: str = ""):
    found = context(name)
    return explain.contrast(found, found.rows[0], treatment, other) if other else explain.verdict(found, found.rows[0], treatment)


def golden(name: str, treatment: str, other: str) -> Path:
    return GOLDEN / f"{name}--{treatment}{'--not-' + other if other else ''}.json"


@pytest.mark.parametrize(("name", "treatment", "other"), TREES)
def test_golden_tree(name, treatment, other):
    assert explain.as_json(tree(name, treatment, other)) == json.loads(golden(name, treatment, other).read_text(encoding="utf-8"))


def test_no_golden_tree_is_left_over():
    assert {path.name for path in GOLDEN.glob("*.json")} == {golden(*one).name for one in TREES}


@pytest.mark.parametrize("name", SAMPLE)
def test_every_tree_of_a_vignette(name):
    found, seen = context(name), 0
    for row in found.rows:
        for one in row["treatments"]:
            made = explain.verdict(found, row, one["treatment"])
            assert (made.result, made.said("strength") or None) == (one["verdict"], one["strength"])
            assert rules(made) == published(one)
            leaves = [node for node in made.walk() if node.kind == "criterion" and not node.of("group")]
            seen += len(leaves)
            assert all(node.reasons for node in leaves if node.result in ("unmet", "unknown")), one["treatment"]
            assert {code for node in made.walk() for code, _ in node.reasons} <= CODES
            assert bool(made.of("not-checked")) == one["notChecked"]
            assert {fact for node in made.walk() if node.kind == "criterion" for fact in facts(node)} >= {
                fact for rule in one["recommendations"] for criterion in rule["criteria"] for fact in criterion["facts"]}
            if one["verdict"] == "not-indicated":
                assert "does not mean stop" in words.result("verdict", made.result) and "does not mean stop" in " ".join(words.about(made))
            assert one["verdict"] == "eligible" or len(made.of("closest")) == 1
            assert_well_formed(explain.html(made))
    assert seen > 50


def rules(made: explain.Node) -> list[tuple]:
    """Status, direction and criteria of each rule in a tree."""
    return sorted((node.label, node.result, node.said("direction"), tuple(sorted((part.id, part.result) for part in node.of("group")[0].of("criterion"))))
                  for side in made.of("side") for node in side.of("recommendation"))


def published(treatment: dict) -> list[tuple]:
    """The same, from the JSON of `kg recommend`."""
    return sorted((rule["label"], rule["status"], rule["direction"], tuple(sorted((part["criterion"], part["result"]) for part in rule["criteria"])))
                  for rule in treatment["recommendations"])


def facts(node: explain.Node) -> set[str]:
    return {below.iri for below in node.walk() if below.kind == "fact"}


def assert_well_formed(fragment: str) -> None:
    ElementTree.fromstring(fragment)                # every tag closed, every & and < escaped
    assert "<script" not in fragment and " href=" not in fragment and " src=" not in fragment and " style=" not in fragment


class Texts(HTMLParser):
    """The text of a fragment, and its class names."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.text, self.classes = "", set()
        self.feed(fragment)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag, attrs) -> None:
        self.classes.update(dict(attrs).get("class", "").split())


def test_html_escapes_what_the_record_says_and_prefixes_its_classes():
    made = tree("pain-of-four-is-not-above-four", "etanercept")
    said = "<b onclick=\"x('&')\">"
    hostile = replace(made, label=said, children=tuple(replace(child, children=(explain.Node("fact", said, says=((said, said),), source=said),)) for child in made.of("side")))
    fragment = explain.html(hostile)
    assert_well_formed(fragment)
    assert "<b " not in fragment and Texts(fragment).text.count(said) >= 3
    assert all(name.startswith("kg-") for name in Texts(explain.html(made)).classes)


def test_html_says_each_result_in_words_and_symbol():
    text = Texts(explain.html(tree("pain-of-four-is-not-above-four", "etanercept"))).text
    assert "✗ not met: Pain above 4 of 10" in text and "✓ met: Active disease" in text and "NOT INDICATED (this does not mean stop)" in text


# reason codes: each with a case that has it, and the twin that does not


@pytest.mark.parametrize(("name", "criterion", "codes"), [
    ("pain-of-four-is-not-above-four", "pain-intensity", ["ValueOutOfRange"]),
    ("pain-of-four-point-one-is-above-four", "pain-intensity", None),
    ("pain-not-recorded-leaves-the-first-biologic-open", "pain-intensity", ["NotFound"]),
    ("pain-score-of-ninety-one-days-ago-is-stale", "pain-intensity", ["DateOutOfRange"]),
    ("pain-score-of-ninety-days-ago-still-counts", "pain-intensity", None),
    ("one-nsaid-for-twenty-nine-days-is-too-short", "nsaid-days", ["DateOutOfRange"]),
    ("an-nsaid-that-worked-has-not-failed", "nsaid-days", ["InvalidAttribute"]),
    ("an-nsaid-whose-response-nobody-wrote-down", "nsaid-days", ["Missing"]),
    ("two-maneuvers-on-a-side-are-incomplete", "three-maneuvers", ["CountOutOfRange"]),
    ("three-maneuvers-on-a-side-are-complete", "three-maneuvers", None),
    ("a-single-block-is-not-two", "two-blocks", ["CountOutOfRange"]),
    ("two-blocks-on-one-day-are-not-two", "two-blocks", ["DateOutOfRange"]),
    ("eighteen-tomorrow", "adult", ["ValueOutOfRange"]),
    ("a-year-of-birth-that-leaves-it-open", "adult", ["Missing"]),
    ("no-date-of-birth-is-open", "adult", ["NotFound"]),
    ("a-tnf-inhibitor-that-works-goes-on", "no-biologic-ongoing", ["Present"]),
    ("three-of-four-agents-contraindicated-open-nothing", "no-tnf-inhibitor-possible", ["CountOutOfRange"]),
])
def test_reason_of_a_gap(name, criterion, codes):
    found = context(name)
    gaps = {key[1].value.rsplit("#")[-1]: sorted({gap.reason[0] for gap in rows}) for key, rows in found.gaps.items()}
    assert gaps.get(criterion) == codes


# the closest recommendation, contrast


def test_the_closest_recommendation_has_the_fewest_criteria_that_are_not_met():
    [closest] = tree("pain-of-four-is-not-above-four", "etanercept").of("closest")
    assert (closest.id, closest.said("not met"), [child.id for child in closest.children]) == ("R01", "1", ["pain-intensity"])
    assert closest.said("rule") == explain.CLOSENESS


def test_closeness_orders_by_unmet_then_unknown_then_strength():
    from kg.explain.verdicts import rank

    def rule(number: str, strength: str, *results: str) -> explain.Node:
        group = explain.Node("group", "all", children=tuple(explain.Node("criterion", "c", result=result) for result in results))
        return explain.Node("recommendation", "r", id=number, says=(("strength", strength),), children=(group,))

    wanted = [rule("4", "unstated", "met", "unknown"), rule("3", "strong", "unknown", "unknown"), rule("2", "strong", "unmet", "met"), rule("1", "unstated", "unmet", "met"), rule("0", "strong", "unmet", "unknown")]
    assert sorted(reversed(wanted), key=rank) == wanted


def test_a_contraindication_stands_in_the_way_of_what_would_apply():
    made = tree("one-agent-contraindicated-with-its-biosimilar", "infliximab")
    [closest] = made.of("closest")
    assert made.result == "contraindicated" and closest.said("not met") == "0" and [child.kind for child in closest.children] == ["bar"]


def test_a_contrast_names_only_what_differs():
    found = tree("one-agent-contraindicated-with-its-biosimilar", "infliximab", "golimumab")
    assert found.differences[0] == explain.Difference("verdict", "contraindicated", "eligible")
    assert all(row.left != row.right for row in found.differences)
    assert tree("one-agent-contraindicated-with-its-biosimilar", "golimumab", "golimumab").differences == ()


# the command


def kg(*arguments: str):
    return CliRunner(env={"NO_COLOR": "1"}).invoke(app, ["explain", *arguments, "--as-of", "2026-03-02"])


@pytest.mark.parametrize("more", [(), ("--not", "secukinumab")])
def test_json_fits_the_published_schema(more):
    done = kg(EXAMPLE, "golimumab", "--format", "json", *more)
    row = json.loads(done.stdout)
    jsonschema.validate(row, SCHEMA)
    (row.get("tree") or row["contrast"]["left"])["children"].append({"kind": "criterion", "label": "one without a result", "id": "x", "iri": "x", "basis": "stated", "decides": True})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(row, SCHEMA)
    assert row["reasonSystem"] == "http://hl7.org/fhir/uv/deqm/CodeSystem/deqm-care-gap-reason"


def test_text_is_plain_and_names_what_was_not_checked():
    one, two = kg(EXAMPLE, "adalimumab"), kg(EXAMPLE, "adalimumab", "--not", "secukinumab")
    assert one.exit_code == two.exit_code == 0
    assert "\x1b" not in one.stdout + two.stdout
    assert "not checked, the source is silent" in one.stdout and two.stdout.count("not checked, the source is silent") == 2


def test_html_goes_to_a_file(tmp_path):
    path = tmp_path / "why.html"
    assert kg(EXAMPLE, "golimumab", "--format", "html", "-o", str(path)).exit_code == 0
    assert_well_formed(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("arguments", [("adalimumabb",), ("adalimumab", "--not", "nothing-like-it")])
def test_a_treatment_that_is_not_there_is_named_with_what_is_near(arguments):
    error = kg(EXAMPLE, *arguments).exception
    assert isinstance(error, InputError) and "no such treatment" in str(error)


def test_another_guideline_is_explained_without_other_code():
    from datetime import date

    from kg.guideline import load

    folder = ROOT / "tests" / "guidelines"
    given = [quad.triple for quad in ox.parse(path=str(folder / "toy-patients.ttl"), format=ox.RdfFormat.TURTLE)]
    found = explain.prepare(evaluate(given, load("toy", (folder / "toy.ttl",)), date(2026, 1, 15)))
    assert {explain.verdict(found, row, one["treatment"]).result for row in found.rows for one in row["treatments"]} >= {"eligible"}


if __name__ == "__main__":
    for one in TREES:
        golden(*one).write_text(json.dumps(explain.as_json(tree(*one)), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
