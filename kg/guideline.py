"""Loading a guideline: its Turtle file, the ontologies that it imports, the closure that its rules need, and engines that hold it all.

An evaluation gets an engine of its own. One that is emptied and used again grows slower and larger: the embedded store walks
past every triple that it ever held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyoxigraph as ox

from kg import derive
from kg.engine import ENGINES, Engine, OxigraphEngine, Triple
from kg.errors import InputError
from kg.index import Index
from kg.paths import data
from kg.queries import Query, folder

GL = "https://w3id.org/sacroiliitis-kg/core#"
DEFAULT = "refractory-sacroiliitis"
_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_ONTOLOGY = ox.NamedNode("http://www.w3.org/2002/07/owl#Ontology")
_IMPORTS = ox.NamedNode("http://www.w3.org/2002/07/owl#imports")
_VERSION = ox.NamedNode("http://www.w3.org/2002/07/owl#versionInfo")


@dataclass(frozen=True)
class Module:
    """One Turtle file of the ontology: its ontology IRI, its imports and its triples."""

    path: Path
    iri: ox.NamedNode
    imports: tuple[ox.NamedNode, ...]
    triples: tuple[Triple, ...]


@dataclass(frozen=True)
class Guideline:
    """A guideline ready to run: its IRI, version, and the triples of it and of everything it imports."""

    iri: ox.NamedNode
    slug: str
    version: str
    triples: tuple[Triple, ...]
    #: Engines that hold the closed rules and nothing else yet: with words (True) or without.
    _ready: dict[bool, Engine] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_ready": {}}      # an engine stays in its process

    @cached_property
    def closure(self) -> tuple[Triple, ...]:
        """What the `rules` steps of `queries/derive/` add; the same for every patient."""
        engine = OxigraphEngine(self.triples)
        added = tuple(derive.close_rules(engine))
        self._ready[True] = engine
        return added

    @cached_property
    def index(self) -> Index:
        return Index((*self.triples, *self.closure))

    @cached_property
    def _quads(self) -> list[ox.Quad]:
        return [ox.Quad(*triple) for triple in (*self.triples, *self.closure)]

    @cached_property
    def _read(self) -> list[ox.Quad]:
        return self.read_by(folder("derive"))

    def read_by(self, queries: Iterable[Query]) -> list[ox.Quad]:
        """What these queries can read of the closed rules: about half; words and sources stay outside."""
        names = set().union(*(query.names for query in queries)) | {_TYPE.value}
        return [quad for quad in self._quads if quad.predicate.value in names]

    def engine(self, name: str = "oxigraph", words: bool = True) -> Engine:
        """A fresh engine that holds the guideline and its closure. Without `words` it may hold only what `queries/derive/` can read."""
        if name == "oxigraph":
            self.prepare(words)
            return self._ready.pop(words, None) or self._ready.pop(True)
        engine = ENGINES[name](self.triples)
        derive.close_rules(engine)
        return engine

    def prepare(self, words: bool = True) -> None:
        """Have an engine of the embedded store at hand for the next `engine()`: for a service, while nobody waits."""
        _ = self.closure
        if not {words, True} & self._ready.keys():
            engine = OxigraphEngine()
            engine.store.extend(self._quads if words else self._read)
            self._ready[words] = engine


def read_module(path: Path) -> Module:
    """Parse one ontology file.

    Raises InputError when it is not Turtle or declares no owl:Ontology."""
    try:
        triples = tuple(quad.triple for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE))
    except (SyntaxError, ValueError) as error:
        raise InputError(str(path), f"line {getattr(error, 'lineno', '?')}", f"not Turtle: {error}", "correct the file") from error
    except OSError as error:
        raise InputError(str(path), "file", error.strerror or "cannot be read", "give the path of a Turtle file") from error
    names = [t.subject for t in triples if t.predicate == _TYPE and t.object == _ONTOLOGY]
    if len(names) != 1:
        raise InputError(str(path), "header", "no single owl:Ontology", "declare the file's ontology IRI once, with its owl:imports")
    imports = tuple(t.object for t in triples if t.predicate == _IMPORTS and t.subject == names[0])
    return Module(path, names[0], imports, triples)


def load(slug: str = DEFAULT, files: tuple[Path, ...] = ()) -> Guideline:
    """Load the guideline with this gl:slug from `ontology/guidelines/` or the given files, and what it imports.

    Raises InputError when no file holds such a guideline or an import is not at hand."""
    sources = [*(data("ontology", "guidelines").glob("*.ttl")), *files]
    known = {module.iri: module for module in map(read_module, sorted(sources))}
    slug_of = ox.NamedNode(GL + "slug")
    for module in known.values():
        guidelines = [t.subject for t in module.triples if t.predicate == _TYPE and t.object == ox.NamedNode(GL + "Guideline")]
        for guideline in guidelines:
            if any(t.subject == guideline and t.predicate == slug_of and t.object.value == slug for t in module.triples):
                return _assemble(guideline, slug, module, known)
    raise InputError(slug, "--guideline", "no such guideline", "give the gl:slug of a guideline in ontology/guidelines or in --guideline-file")


def _assemble(guideline: ox.NamedNode, slug: str, module: Module, known: dict[ox.NamedNode, Module]) -> Guideline:
    for path in sorted(data("ontology").glob("*.ttl")):
        if path.name.startswith("codes") or path.name == "sacroiliitis-kg.ttl":
            continue
        other = read_module(path)
        known.setdefault(other.iri, other)
    wanted, seen = [module.iri], set()
    triples: list[Triple] = []
    while wanted:
        iri = wanted.pop()
        if iri in seen:
            continue
        seen.add(iri)
        if iri not in known:
            raise InputError(str(module.path), "owl:imports", f"{iri.value} is not at hand", "add the file to ontology/ or give it with --guideline-file")
        triples.extend(known[iri].triples)
        wanted.extend(known[iri].imports)
    version = next((t.object.value for t in module.triples if t.subject == module.iri and t.predicate == _VERSION), "")
    return Guideline(guideline, slug, version, tuple(triples))
