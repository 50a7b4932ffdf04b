"""From a CodeableConcept to concepts: codes first, then (for drugs) names and biosimilar suffixes in the text."""

from __future__ import annotations

from collections.abc import Iterable

from kg.codes import CodeIndex, Mapping
from kg.fhir.views import View
from kg.terms import CL, GL, PT

_SIDES = {PT.Left: (PT.Left,), PT.Right: (PT.Right,), PT.Bilateral: (PT.Left, PT.Right)}
RESPONSES = frozenset(
    (PT.PrimaryNonResponse, PT.SecondaryNonResponse, PT.InadequateResponse, PT.AdequateResponse, PT.Intolerance)
)


def meanings(holder: View | None, codes: CodeIndex) -> tuple[Mapping, ...]:
    """What the codings of a CodeableConcept mean, each concept once, the most specific only;
    a site's own mapping goes first."""
    if holder is None:
        return ()
    found = [m for c in holder.objects("coding") for m in codes.lookup(c.text("system"), c.text("code"))]
    found = [m for m in found if m.site] or found
    by_concept = {m.concept: m for m in reversed(found)}
    kept = codes.most_specific(m.concept for m in found)
    return tuple(by_concept[concept] for concept in kept)


def concepts(holder: View | None, codes: CodeIndex) -> tuple[Mapping, ...]:
    """As `meanings`, clinical concepts only."""
    return tuple(m for m in meanings(holder, codes) if m.concept.startswith(CL.iri))


def one_meaning(holder: View | None, codes: CodeIndex) -> Mapping | None:
    """The clinical concept of a CodeableConcept that can have one only;
    the first, with a warning, when its codings disagree."""
    found = concepts(holder, codes)
    if len(found) > 1:
        holder.warning("coding", "holds codes of different meaning; the first is read, keep one")
    return found[0] if found else None


def texts(holder: View | None) -> list[str]:
    """What a CodeableConcept says in words: its text, then the displays of its codings."""
    if holder is None:
        return []
    said = [holder.text("text"), *(c.text("display") for c in holder.objects("coding"))]
    return list(dict.fromkeys(" ".join(text.split()) for text in said if text))


def as_written(holder: View | None) -> str | None:
    """A CodeableConcept for people: its text, else a display, else its codes."""
    if holder is None:
        return None
    return (
        next(iter(texts(holder)), None)
        or ", ".join(filter(None, (c.text("code") for c in holder.objects("coding"))))
        or None
    )


def drugs(holder: View | None, codes: CodeIndex) -> tuple[str, ...]:
    """The drugs or drug classes that a CodeableConcept names for sure: by code, by biosimilar suffix, or (without any
    coding) by an exact name."""
    if holder is None:
        return ()
    words = texts(holder)
    found = [m.concept for m in concepts(holder, codes)]
    suffixed = [_biosimilar(hit, holder, codes) for text in words for hit in codes.suffixed(text)]
    if not found and not holder.has("coding"):
        found = [concept for text in words for concept in codes.by_name(text) if concept in codes.drugs]
        if found:
            holder.info("text", "is read by its name, as there is no code; give a code")
    named = [c for text in words for c in codes.by_name(text) if any(codes.biosimilars.get(f) == c for f in found)]
    # a suffix or a product name says which product of a substance it is
    return codes.most_specific([*found, *suffixed, *named])


def _biosimilar(hit: tuple[str, str, bool], holder: View, codes: CodeIndex) -> str:
    substance, suffix, known = hit
    product = codes.biosimilars.get(substance)
    if not known:
        read = "read as a biosimilar" if product else "read as the substance itself"
        holder.warning("text", f"the suffix '{suffix}' is not known to the mappings; {read}, check the product")
    return product or substance


def named_drugs(holder: View | None, codes: CodeIndex) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Drugs named exactly by a text of a CodeableConcept without a known code, and drugs that a text merely
    contains."""
    words = texts(holder)
    exact = codes.most_specific(c for text in words for c in codes.by_name(text) if c in codes.drugs)
    return exact, codes.most_specific(c for text in words for c in codes.names_within(text) if c in codes.drugs)


def no_allergy(holder: View, codes: CodeIndex) -> bool:
    """True when a CodeableConcept says, by code or by an exact name, that no allergy is known."""
    said = [m.concept for m in meanings(holder, codes)] or [c for text in texts(holder) for c in codes.by_name(text)]
    return GL.NoKnownAllergy in said


def sides(holders: Iterable[View | None], codes: CodeIndex) -> tuple[str, ...]:
    """pt:Left, pt:Right, or both, as the body sites say; () when they do not."""
    found = [side for holder in holders for m in meanings(holder, codes) for side in _SIDES.get(m.concept, ())]
    return tuple(dict.fromkeys(found))


def responses(reasons: Iterable[View], codes: CodeIndex) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Responses to a course that its reasons state, and the reasons that the mappings do not know, as written."""
    found, unread = [], []
    for reason in reasons:
        known = [m.concept for m in meanings(reason, codes) if m.concept in RESPONSES or m.concept == GL.NeutralReason]
        written = as_written(reason)
        if known:
            found.extend(concept for concept in known if concept in RESPONSES)
        elif written:
            found.append(PT.UnreadReason)
            unread.append(written)
            reason.warning("", "is a reason that the mappings do not know; kept as written, map it with --codes")
    return tuple(dict.fromkeys(found)), tuple(dict.fromkeys(unread))


def coded_status(view: View, name: str, allowed: Iterable[str]) -> tuple[str | None, bool]:
    """A status given as a CodeableConcept: (word, lost); lost when it is there and is not one of FHIR's words."""
    holder = view.object(name)
    if holder is None:
        return None, view.has(name)
    said = [c.text("code") for c in holder.objects("coding")] + [(holder.text("text") or "").casefold() or None]
    words = [word for word in said if word]
    found = next((word for word in words if word in allowed), None)
    if found is None and words:
        view.violation(
            name, f"'{words[0][:40]}' is not a word that FHIR R4 has here; use one of {', '.join(sorted(allowed))}"
        )
    return found, bool(words) and found is None
