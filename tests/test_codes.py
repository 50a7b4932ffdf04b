"""Codes, names and a site's own mappings (spec/fhir-input.md, first paragraph)."""

from __future__ import annotations

import json

import pytest

from kg import sitecodes
from kg.errors import InputError
from kg.terms import CL, GL, PT, RECORD
from tests.test_fhir_support import ATC, ICD, LOINC, RXNORM, SNOMED, codes


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (ICD, "M46.1", "Sacroiliitis"),
        (ICD, "M461", "Sacroiliitis"),
        ("http://hl7.org/fhir/sid/icd-10", "M46.1", "Sacroiliitis"),
        (ICD, "M46.8", None),
        (ICD, "M45.7", "AnkylosingSpondylitis"),
        (ICD, "M45A7", "NonRadiographicAxialSpondyloarthritis"),
        (ICD, "A18.01", "SpinalTuberculosis"),
        (ICD, "A18.2", "Tuberculosis"),
        (ICD, "C34.90", "Malignancy"),
        (ICD, "D34", None),
        (ATC, "L04AB04", "Adalimumab"),
        (ATC, "L04AB", "TnfInhibitor"),
        (ATC, "L04AC05", "InterleukinInhibitor"),
        (ATC, "M01AH01", "Celecoxib"),
        (ATC, "M01AH99", "SelectiveCox2Inhibitor"),
        (ATC, "A07EC01", "Sulfasalazine"),
        (ATC, "L04AA13", "Leflunomide"),
        (SNOMED, "55146009", "Sacroiliitis"),
        (SNOMED, "16065006", None),
        (SNOMED, "201776007", None),
        (SNOMED, "551460099", None),
        (LOINC, "55146009", None),
        (RXNORM, "327361", "Adalimumab"),
        (RXNORM, "3273", None),
        (None, "M46.1", None),
        (ICD, None, None),
    ],
)
def test_a_code_means_what_the_longest_match_says(system, code, expected):
    assert [m.concept for m in codes().lookup(system, code)] == ([getattr(CL, expected)] if expected else [])


def test_a_history_code_says_so_itself():
    assert codes().lookup(ICD, "Z87.11")[0].presence == PT.Resolved
    assert codes().lookup(ICD, "K27.9")[0].presence is None


@pytest.mark.parametrize(
    ("text", "exact", "within"),
    [
        ("Adalimumab", ["Adalimumab"], ["Adalimumab"]),
        ("  HUMIRA® ", ["Adalimumab"], ["Adalimumab"]),
        ("adalimumab 40 mg pen", [], ["Adalimumab"]),
        ("adalimumab-aaty", ["AdalimumabBiosimilar"], ["AdalimumabBiosimilar"]),
        ("allergy to TNF inhibitors and naproxen", [], ["TnfInhibitor", "Naproxen"]),
        ("adalimumabs", [], []),
        ("drug", [], []),
        ("penicillin", [], []),
        (None, [], []),
    ],
)
def test_a_name_is_known_exactly_or_within_a_text(text, exact, within):
    assert list(codes().by_name(text)) == [getattr(CL, name) for name in exact]
    assert list(codes().names_within(text)) == [getattr(CL, name) for name in within]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["TnfInhibitor", "Adalimumab"], ["Adalimumab"]),
        (["Adalimumab", "AdalimumabBiosimilar"], ["AdalimumabBiosimilar"]),
        (["Adalimumab", "Adalimumab"], ["Adalimumab"]),
        (["Adalimumab", "Infliximab"], ["Adalimumab", "Infliximab"]),
    ],
)
def test_the_most_specific_concepts_are_kept(given, kept):
    assert codes().most_specific(getattr(CL, name) for name in given) == tuple(getattr(CL, name) for name in kept)


def concept_map(*targets: dict, source: str = "urn:site") -> bytes:
    elements = [{"code": f"c{number}", "target": [target]} for number, target in enumerate(targets)]
    return json.dumps(
        {"resourceType": "ConceptMap", "group": [{"source": source, "target": RECORD, "element": elements}]}
    ).encode()


@pytest.mark.parametrize(
    ("relation", "match"),
    [
        ("equal", GL.ExactMatch),
        ("equivalent", GL.ExactMatch),
        ("wider", GL.NarrowMatch),
        ("subsumes", GL.NarrowMatch),
        ("narrower", None),
        ("specializes", None),
        ("inexact", None),
        ("relatedto", None),
        ("disjoint", None),
        ("unmatched", None),
        ("", None),
    ],
)
def test_a_concept_map_row_counts_when_the_site_code_is_equal_or_narrower(relation, match):
    rows = sitecodes.parse(concept_map({"code": "stable", "equivalence": relation}), "site.json")
    index, notes = sitecodes.extend(codes(), rows, "site.json")
    assert [(m.concept, m.match) for m in index.lookup("urn:site", "c0")] == (
        [(CL.StableDisease, match)] if match else []
    )
    assert [note.split(": ")[1] for note in notes] == ([] if match else ["group[0].element[0].target[0]"])


def test_a_mapping_that_depends_on_other_elements_does_not_count():
    target = {"code": "stable", "equivalence": "equal", "dependsOn": [{"property": "x", "value": "y"}]}
    index, notes = sitecodes.extend(codes(), sitecodes.parse(concept_map(target), "site.json"), "site.json")
    assert index.lookup("urn:site", "c0") == () and len(notes) == 1


SSSOM = """#curie_map:
#  SITE: urn:site#
#  kg: https://w3id.org/sacroiliitis-kg/CodeSystem/record/
#mapping_set_id: https://example.org/set
subject_id\tpredicate_id\tobject_id\tmapping_justification
SITE:a\tskos:exactMatch\tkg:stable\tsemapv:ManualMappingCuration
SITE:b\tskos:broadMatch\tkg:stable\tsemapv:ManualMappingCuration
SITE:c\tskos:narrowMatch\tkg:stable\tsemapv:ManualMappingCuration
SITE:d\tskos:closeMatch\tkg:stable\tsemapv:ManualMappingCuration
"""


def test_sssom_reads_subject_to_object():
    index, notes = sitecodes.extend(codes(), sitecodes.parse(SSSOM.encode(), "site.tsv"), "site.tsv")
    assert [code for code in "abcd" if index.lookup("urn:site", code)] == ["a", "b"]
    assert [note.split(": ")[1] for note in notes] == ["line 8", "line 9"]


def test_a_site_mapping_comes_before_everything_else():
    rows = sitecodes.parse(
        concept_map({"code": "stable", "equivalence": "equal"}, source=RECORD).replace(b'"c0"', b'"active"'), "s"
    )
    index, _ = sitecodes.extend(codes(), rows, "s")
    assert codes().lookup(RECORD, "active")[0].concept == CL.ActiveDisease
    assert index.lookup(RECORD, "active")[0].concept == CL.StableDisease


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"\xff\xfe\x00", "byte 0"),
        (b'{"resourceType": "Concept', "line 1, column 18"),
        (b'{"resourceType": "ValueSet"}', "resourceType"),
        (b'{"resourceType": "ConceptMap", "group": {}}', None),
        (b'{"resourceType": "ConceptMap", "group": ["x"]}', "ConceptMap.group"),
        (
            b'{"resourceType": "ConceptMap", "group": [{"element": [{"target": [{"code": "x"}]}]}]}',
            "group[0].element[0].target[0]",
        ),
        (b"a,b,c\n", "line 1"),
        (b"", "line 1"),
        (SSSOM.replace("SITE:b", "OTHER:b").encode(), "line 7"),
    ],
)
def test_a_bad_mapping_file_is_named_with_its_row(data, place):
    if place is None:
        assert sitecodes.parse(data, "site") == ()
        return
    with pytest.raises(InputError) as caught:
        sitecodes.parse(data, "site")
    assert str(caught.value).startswith(f"site: {place}: ")


def test_a_target_that_the_ontology_does_not_know_is_an_error():
    rows = sitecodes.parse(concept_map({"code": "no-such-code", "equivalence": "equal"}), "site.json")
    with pytest.raises(InputError, match="group.0..element.0..target.0."):
        sitecodes.extend(codes(), rows, "site.json")
