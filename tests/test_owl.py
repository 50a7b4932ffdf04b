"""The ontology as Protege sees it: every module through the OWL API and HermiT, and the release that `kg build` makes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg import release
from kg.paths import data

ROOT = Path(__file__).parent.parent
ONTOLOGY = data("ontology")
MODULES = sorted(path for path in ONTOLOGY.rglob("*.ttl") if "release" not in path.parts)
RELEASES = [ONTOLOGY / "release" / f"{release.NAME}.{suffix}" for suffix in ("ttl", "rdf")]
BAD = sorted((ROOT / "tests" / "owl" / "bad").glob("*.ttl"))
GOLDEN = (ROOT / "tests" / "owl" / "inferred.txt").read_text(encoding="utf-8").splitlines()
EXAMPLE = ["example-patient:ann a patient:PatientOnCourse", "example-patient:ann a patient:SecondaryNonResponder"]

pytestmark = pytest.mark.xdist_group("owl")


@pytest.fixture(scope="module")
def reports() -> dict[Path, dict]:
    """What the OWL API and HermiT say of every module, release and fixture."""
    run = subprocess.run([sys.executable, "-m", "tests.owl.gate", "--reason", *map(str, [*MODULES, *RELEASES, *BAD])],
                         cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    return {Path(row["file"]): row for row in map(json.loads, run.stdout.splitlines())}


@pytest.mark.parametrize("path", [*MODULES, *RELEASES], ids=lambda path: path.name)
def test_it_loads_by_the_catalog_in_owl_2_dl_and_is_consistent(reports, path: Path):
    found = reports[path]
    assert "error" not in found
    assert found["violations"] == []
    assert found["consistent"] and found["unsatisfiable"] == []


def test_the_inferred_hierarchy_is_the_golden_one(reports):
    assert len(GOLDEN) >= 15
    assert reports[ONTOLOGY / "sacroiliitis-kg.ttl"]["inferred"] == GOLDEN


def test_the_release_asserts_what_was_inferred(reports):
    for path in RELEASES:
        assert reports[path]["inferred"] == []


def test_the_example_patient_is_classified(reports):
    found = reports[ONTOLOGY / "examples" / "example-patient.ttl"]["inferred"]
    assert [line for line in found if line.startswith("example-patient:")] == EXAMPLE


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_kind_of_mistake_is_caught(reports, path: Path):
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# expect: ")
    assert expected in json.dumps(reports[path])


def test_the_release_is_not_stale():
    """Fails after an edit of a module: run `kg build`."""
    triples = [quad.triple for quad in ox.parse(path=str(RELEASES[0]), format=ox.RdfFormat.TURTLE)]
    said = {t.object.value for t in triples if t.object.value.startswith("sha256:")}
    assert said == {f"sha256:{release.fingerprint()}"}


def test_an_edit_changes_the_fingerprint():
    parts = release.modules()
    before = release.merge(parts)
    assert release.merge([*parts[:-1], release.Module(parts[-1].path, parts[-1].iri, parts[-1].imports, parts[-1].triples[:-1])]) != before


@pytest.mark.slow
def test_a_build_gives_the_committed_bytes(tmp_path: Path):
    for made, kept in zip(release.build(tmp_path), RELEASES, strict=True):
        assert made.read_bytes() == kept.read_bytes()
