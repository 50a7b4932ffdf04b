"""What the report shows of one patient's row: verdicts in groups of cards, which rules decided, which are at work."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from kg.terms import GL
from kg.words import REASONS, sign

_STRENGTHS = {"strong": GL.Strong, "conditional": GL.Conditional, "unstated": GL.Unstated}
_STRENGTH_WORDS = {"strong": "strong", "conditional": "conditional", "unstated": "strength not stated"}
_WAYS = {"eligible": "for", "advised-against": "against"}
_DIRECTIONS = {"for": GL.For, "against": GL.Against, "neutral": GL.Neutral, "preference-only": GL.PreferenceOnly}


@dataclass(frozen=True)
class Kind:
    """A verdict: slug, sign, title, what it means in one sentence."""

    verdict: str
    sign: str
    title: str
    means: str


KINDS = (
    Kind("eligible", "✓", "Eligible", "At least one recommendation for it applies and nothing known bars it."),
    Kind("contraindicated", "⨯", "Contraindicated", "The record holds a contraindication that reaches it; this is the record's word, not the guideline's."),
    Kind("advised-against", "⊖", "Advised against", "A recommendation of the guideline against it applies; this is not a contraindication."),
    Kind("undetermined", "?", "Undetermined", "Facts are missing: it may turn out either way."),
    Kind("not-indicated", "–", "Not indicated", "No recommendation for it applies. This never means stop."),
    Kind("not-applicable", "○", "Outside the guideline", "The patient is outside the guideline's population: it says nothing here, for or against."),
)  # fmt: skip


@dataclass(frozen=True)
class Card:
    """Treatments that have their verdict for the same reason: grade, reason in words, deciding rules, bars, questions."""

    sign: str
    grade: str
    strength: str
    role: str
    step: str
    reason: str
    rules: tuple[dict, ...]
    bars: tuple[dict, ...]
    missing: tuple[dict, ...]
    treatments: tuple[dict, ...]


    @property
    def place(self) -> tuple[str, ...]:
        """Step and role, once when they are the same."""
        return tuple(dict.fromkeys(one for one in (self.step, self.role) if one))


@dataclass(frozen=True)
class Group:
    """All cards of one verdict."""

    kind: Kind
    cards: tuple[Card, ...]

    @property
    def size(self) -> int:
        return sum(len(card.treatments) for card in self.cards)

    @property
    def not_checked(self) -> tuple[str, ...]:
        """Labels of the treatments beside which stands what the source is silent on."""
        return tuple(one["label"] for card in self.cards for one in card.treatments if one["notChecked"])


def groups(row: dict) -> tuple[Group, ...]:
    """The verdicts of a row in groups; those without a treatment are left out."""
    found = []
    for kind in KINDS:
        mine = [one for one in row["treatments"] if one["verdict"] == kind.verdict]
        cards = [_card(kind.verdict, members) for members in _alike(mine, _reason).values()]
        found.append(Group(kind, tuple(sorted(cards, key=_rank))))
    return tuple(group for group in found if group.cards)


def deciding(treatment: dict) -> tuple[dict, ...]:
    """The rules that give a treatment its verdict: those that apply, or those that are open."""
    way = _WAYS.get(treatment["verdict"])
    return tuple(
        rule
        for rule in treatment["recommendations"]
        if (rule["status"] == "applies" and rule["direction"] == way)
        or (treatment["verdict"] == "undetermined" and rule["status"] in _opens(rule))
    )


def _opens(rule: dict) -> tuple[str, ...]:
    """With which statuses a rule keeps a verdict open: a caution does when it applies, too; what only advises never."""
    return {"for": ("unknown",), "against": ("unknown",), "caution": ("unknown", "applies")}.get(rule["direction"], ())


def considered(treatment: dict) -> tuple[dict, ...]:
    """The rules for or against a treatment that did not decide, each with what of it is not met."""
    decided = deciding(treatment)
    return tuple(
        {**rule, "unmet": [one["label"] for one in rule["criteria"] if one["result"] != "met"]}
        for rule in treatment["recommendations"]
        if rule not in decided and rule["direction"] in ("for", "against")
    )


def grade(rule: dict) -> str:
    """Sign and words of a rule's direction and strength; its direction alone where it has no strength."""
    way = rule["direction"].replace("-", " ").replace("preference only", "a preference").capitalize()
    if rule["direction"] not in _DIRECTIONS or not rule["strength"]:
        return way
    return f"{_sign(rule['direction'], rule['strength'])} {way}, {_STRENGTH_WORDS[rule['strength']]}"


def _sign(way: str, strength: str) -> str:
    return sign(_DIRECTIONS[way], _STRENGTHS[strength])


def rules_at_work(row: dict) -> tuple[dict, ...]:
    """The rules that decide a verdict or state a preference for this patient, by id."""
    found = [rule for one in row["treatments"] for rule in (*deciding(one), *_preferences(one))]
    return tuple({(rule["id"], rule["label"]): rule for rule in sorted(found, key=lambda rule: (rule["id"], rule["label"]))}.values())


def _preferences(treatment: dict) -> Iterable[dict]:
    if treatment["preferredOver"] or treatment["lessPreferredThan"]:
        return [one for one in treatment["recommendations"] if one["status"] == "applies" and one["direction"] == "preference-only"]
    return ()


def _reason(one: dict) -> Hashable:
    """What two treatments of one verdict must share to stand on one card."""
    rules = tuple(rule["id"] for rule in deciding(one))
    bars = tuple((bar["kind"], tuple(bar["facts"])) for bar in one["bars"])
    missing = tuple(ask["criterion"] for ask in one["missing"])
    return one["strength"], one["role"], one["step"], rules, bars, missing, one["reason"]


def _card(verdict: str, members: list[dict]) -> Card:
    one, way = members[0], _WAYS.get(verdict, "")
    graded = bool(one["strength"] and way)
    return Card(
        _sign(way, one["strength"]) if graded else "",
        f"{way.capitalize()}, {_STRENGTH_WORDS[one['strength']]}" if graded else "",
        one["strength"] or "", one["role"] or "", one["step"] or "", REASONS[one["reason"]] if one["reason"] else "",
        deciding(one), tuple(one["bars"]), tuple(one["missing"]), tuple(members),
    )  # fmt: skip


def _rank(card: Card) -> int:
    """Strongest first; otherwise the order of the row stays."""
    return list(_STRENGTHS).index(card.strength) if card.strength else len(_STRENGTHS)


def _alike(rows: Iterable[dict], key: Callable[[dict], Hashable]) -> dict[Hashable, list[dict]]:
    found: dict[Hashable, list[dict]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found
