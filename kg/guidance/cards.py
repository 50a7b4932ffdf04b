"""CDS Hooks 2.0 cards: a patient's results for a chart that is opened, and for orders that are selected or signed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence

from kg.guidance.facts import Facts
from kg.guidance.orders import Order
from kg.guidance.questions import Missing, missing
from kg.guidance.rules import Rules
from kg.guidance.words import AGAINST, DISCLAIMER, NOT_CHECKED, REASONS, STRENGTHS, decisive, markdown, places, shortened

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://w3id.org/sacroiliitis-kg/cds-hooks")
_SYSTEM = "https://w3id.org/sacroiliitis-kg/CodeSystem/"
_SUMMARY = 139
BARRED = ("contraindicated", "advised-against")
_TOPICS = {"eligible": "Eligible treatments", "barred": "Contraindicated or advised against", "open": "Missing data", "review": "For review", "order": "Order",
           "incomplete": "Incomplete request"}
OVERRIDES = {"record-outdated": "What the record says no longer holds", "benefit-outweighs": "The benefit outweighs it for this patient",
              "other-indication": "Ordered for another indication", "patient-preference": "The patient's preference"}


class Cards:
    """Writes the cards of one patient. `pages`: an absolute address that every card links to, if any."""

    def __init__(self, row: dict, facts: Facts, rules: Rules, pages: str | None = None) -> None:
        self.row, self.facts, self.rules, self.pages = row, facts, rules, pages

    def for_patient(self) -> list[dict]:
        """What a clinician should know when the chart is opened; nothing outside the guideline's population."""
        if self.row["applicability"] == "not-applicable":
            return []
        rows = self.row["treatments"]
        by = {verdict: [one for one in rows if one["verdict"] == verdict] for verdict in ("eligible", "undetermined", *BARRED)}
        barred = [one for verdict in BARRED for one in by[verdict]]
        now = [one for one in barred if one["current"]]
        found = [self._barred(one) for one in now]
        if by["eligible"]:
            found.append(self._eligible(by["eligible"]))
        if by["undetermined"]:
            found.append(self._open(missing(by["undetermined"]), "open"))
        if others := [one for one in barred if not one["current"]]:
            found.append(self._others(others))
        if review := self._review():
            found.append(review)
        return found

    def for_order(self, order: Order) -> list[dict]:
        """What stands against or beside an order; nothing outside the guideline's population."""
        if self.row["applicability"] == "not-applicable":
            return []
        barred = [one for one in order.treatments if one["verdict"] in BARRED]
        names = self._names(order)
        if barred or order.bars:
            return [self._against_order(order, barred, names)]
        open_ = missing(list(order.treatments))
        if open_:
            return [self._open(open_, "order", f"{names}: undetermined. Ask: {open_[0].ask}", order.treatments)]
        lines = self._lines(order.treatments)
        verdicts = ", ".join(dict.fromkeys(_said(one) for one in order.treatments))
        return [self._card("order", "info", f"{names}: {verdicts}", [*lines, *self._unchecked(order.treatments)], [one["treatment"] for one in order.treatments])]

    def incomplete(self, lacking: Sequence[str]) -> dict:
        """Says that verdicts are withheld because the request lacks some of the data asked for."""
        lines = ["The request came without: " + ", ".join(map(markdown, lacking)) + ".",
                 "What was not sent cannot be told from what is not so: nothing is called eligible, open or not indicated, and what stands against an order is shown as far as the request shows it."]
        return self._card("incomplete", "info", f"{self.rules.name}: not assessed, the request lacks {', '.join(lacking)}", lines, list(lacking))

    def unread(self, messages: Iterable[str]) -> dict:
        """Says what of the record could not be read."""
        lines = [f"- {markdown(shortened(message, 300))}" for message in messages]
        return self._card("review", "warning", f"{self.rules.name}: {len(lines)} parts of the record could not be read", lines, ["unread"])

    def _barred(self, treatment: dict) -> dict:
        return self._card("barred", "warning", f"{treatment['label']}, which the patient is on: {_said(treatment)}", self._lines([treatment]), [treatment["treatment"]])

    def _eligible(self, rows: list[dict]) -> dict:
        strong = [one["label"] for one in rows if one["strength"] == "strong"]
        summary = f"{self.rules.name}: {len(rows)} treatments eligible" + (f", strongly recommended: {', '.join(strong)}" if strong else "")
        ranked = sorted(rows, key=lambda one: tuple(STRENGTHS).index(one["strength"]))
        return self._card("eligible", "info", summary, [*self._lines(ranked), *self._unchecked(rows)], [one["treatment"] for one in rows])

    def _others(self, rows: list[dict]) -> dict:
        summary = f"{self.rules.name}: {len(rows)} treatments contraindicated or advised against: {', '.join(one['label'] for one in rows)}"
        return self._card("barred", "info", summary, self._lines(rows), [one["treatment"] for one in rows])

    def _open(self, questions: list[Missing], topic: str, summary: str | None = None, rows: Sequence[dict] = ()) -> dict:
        lines = [f"- **{markdown(one.ask)}** Leaves open: {markdown(', '.join(one.treatments))}." for one in questions]
        # an order that may be several treatments: what is said of the others
        lines += self._lines([one for one in rows if one["verdict"] != "undetermined"])
        lines += self._unchecked(rows)
        first = questions[0].ask if questions else "the record leaves it open"
        return self._card(topic, "info", summary or f"Next question ({self.rules.name}): {first}", lines, [one.criterion for one in questions])

    def _against_order(self, order: Order, barred: list[dict], names: str) -> dict:
        certain = [bar for bar in order.bars if self.facts.certain(bar)]
        said = list(dict.fromkeys([*(["contraindicated on the record"] if certain else []), *map(_said, barred),
                                   *(["a contraindication on record is unconfirmed"] if order.bars and not certain else [])]))
        lines = [f"- On record: {markdown(self.facts.words(bar))}" for bar in order.bars]
        if len(order.treatments) > 1:
            lines.append("The order does not say which of these it is:")
        lines += self._lines(sorted(order.treatments, key=lambda one: one["verdict"] not in BARRED))
        lines += [f"- Ask: **{markdown(one.ask)}**" for one in missing(list(order.treatments))]
        lines += self._unchecked(order.treatments)
        card = self._card("order", "warning", f"{names}: {'; '.join(said)}", lines, [*order.concepts, *(f"{one['treatment']}={one['verdict']}" for one in order.treatments)])
        card["overrideReasons"] = [{"system": _SYSTEM + "override-reason", "code": code, "display": display} for code, display in OVERRIDES.items()]
        if order.resource:
            card["suggestions"] = [{"label": "Remove the order", "uuid": _uuid([card["uuid"], "remove"]),
                                    "actions": [{"type": "delete", "description": "Remove the order", "resourceId": order.resource}]}]
            card["selectionBehavior"] = "at-most-one"
        return card

    def _lines(self, treatments: Sequence[dict]) -> list[str]:
        """The verdicts with their recommendations, criteria, facts, and what is preferred; treatments of which the same is said
        stand together."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for one in treatments:
            groups.setdefault((markdown(_said(one)), *self._reasons(one)), []).append(one["label"])
        return [line for (said, *reasons), labels in groups.items() for line in (f"- **{markdown(', '.join(labels))}**: {said}", *reasons)]

    def _reasons(self, treatment: dict) -> list[str]:
        lines = []
        if treatment["verdict"] == "contraindicated":
            lines += [f"  - {markdown(bar['kind'].replace('-', ' '))}: {markdown(self.facts.words(fact))}" for bar in treatment["bars"] for fact in bar["facts"]]
        for rule in decisive(treatment):
            lines.append(f"  - {markdown(rule['id'])} {markdown(rule['label'])} ({markdown(places(rule))})")
            for criterion in rule["criteria"]:
                used = [self.facts.words(fact) for fact in criterion["facts"]]
                lines.append(f"    - {criterion['result']}: {markdown(criterion['label'])}" + (f" ({markdown('; '.join(used))})" if used else ""))
        over = [one["label"] for one in self.row["treatments"] if one["treatment"] in treatment["lessPreferredThan"]]
        return lines + ([f"  - preferred over it: {markdown(', '.join(over))}"] if over else [])

    def _unchecked(self, rows: Sequence[dict]) -> list[str]:
        """What the source does not look at, beside every treatment that is called eligible."""
        if not any(one["verdict"] == "eligible" for one in rows):
            return []
        return ["", f"**{NOT_CHECKED}**: {markdown('; '.join(self.row['notChecked']))}."]

    def _review(self) -> dict | None:
        row = self.row
        labels = {one["treatment"]: one["label"] for one in row["treatments"]}
        lines = [f"- {markdown(flag['label'])}" + "".join(f"\n  - {markdown(self.facts.words(fact))}" for fact in flag["facts"]) for flag in row["flags"]]
        lines += [f"- Monitoring of {markdown(labels.get(one['treatment'], one['treatment']))}: {markdown(one['label'])}: {one['status']}"
                  + (f", from {one['dueOn']}" if one["dueOn"] else "") for one in row["monitoring"] if one["status"] == "due"]
        lines += [f"- Documentation {item['item']} {item['status']}: {markdown(item['label'])}" for item in row["documentation"] if item["status"] != "complete"]
        if not lines:
            return None
        named = [flag["flag"] for flag in row["flags"]]
        first = "; ".join(flag["label"] for flag in row["flags"]) or "monitoring or documentation is due"
        return self._card("review", "info", f"{self.rules.name}, for review: {first}", lines, named)

    def _names(self, order: Order) -> str:
        return ", ".join(dict.fromkeys(map(self.rules.label, order.concepts)))

    def _card(self, topic: str, indicator: str, summary: str, lines: Sequence[str], about: Sequence[str]) -> dict:
        """A card; its uuid is made of what it is about and nothing of the patient, so that feedback can be counted."""
        guideline = self.row["guideline"]
        card = {
            "uuid": _uuid([guideline["iri"], guideline["version"], topic, indicator, *about]),
            "summary": shortened(summary, _SUMMARY), "indicator": indicator, "detail": "\n".join([*lines, "", f"As of {self.row['asOf']}. {DISCLAIMER}"]),
            "source": {"label": f"{self.rules.name} {guideline['version']}", "url": guideline["iri"],
                       "topic": {"system": _SYSTEM + "card-topic", "code": topic, "display": _TOPICS[topic]}},
        }
        if self.pages:
            card["links"] = [{"label": f"{self.rules.name}: the guideline's pages", "url": self.pages, "type": "absolute"}]
        return card


def _said(treatment: dict) -> str:
    """The verdict in words, with the strength where there is one."""
    verdict, strength = treatment["verdict"], treatment["strength"]
    if verdict == "eligible":
        return f"eligible, {STRENGTHS[strength]}"
    if verdict == "advised-against":
        return AGAINST[strength]
    if verdict == "not-indicated":
        return f"not indicated: {REASONS[treatment['reason']]}"
    return {"contraindicated": "contraindicated on the record"}.get(verdict, verdict)


def _uuid(parts: Sequence[str]) -> str:
    return str(uuid.uuid5(_NAMESPACE, json.dumps(parts)))
