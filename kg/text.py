"""The results for people, on one screen: plain words and symbols, colour only on top."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape

from kg.documentation import NOTHING_PLANNED, Checklist
from kg.words import APPLICABILITY, CHECK_OUTCOMES, REASONS, STRENGTHS


def patient(console: Console, row: dict) -> None:
    """Print one patient's verdicts: eligible first, by strength, then what stands against, then what is open."""
    line = console.print
    line(f"[bold]{escape(row['patient'])}[/bold]  as of {row['asOf']}  —  {escape(row['guideline']['label'])} {row['guideline']['version']}")
    line(f"{APPLICABILITY[row['applicability']]}\n")
    if row["applicability"] == "not-applicable":
        return
    by = _grouped(row["treatments"], lambda one: one["verdict"])
    if eligible := by.get("eligible"):
        line("[bold green]✓ ELIGIBLE[/bold green]")
        for strength, words in STRENGTHS:
            for key, group in _grouped([one for one in eligible if one["strength"] == strength], _rules).items():
                line(f"  {words:26} {_names(group)}  [dim]{escape(key)}[/dim]")
        for one in eligible:
            if one["lessPreferredThan"]:
                line(f"  [dim]{escape(one['label'])}: preferred over it: {', '.join(one['lessPreferredThan'])}[/dim]")
        if any(one["notChecked"] for one in eligible):
            line(f"  ! not checked, the source is silent: {'; '.join(row['notChecked'])}")
    if barred := by.get("contraindicated"):
        line("[bold red]⨯ CONTRAINDICATED on the record[/bold red]")
        line(f"  {_names(barred)}")
    if against := by.get("advised-against"):
        line("[bold red]⨯ ADVISED AGAINST by the guideline[/bold red]")
        for key, group in _grouped(against, lambda one: f"{dict(STRENGTHS)[one['strength']]:26} ({_rules(one)})").items():
            line(f"  {escape(key)}  {_names(group)}")
    if unknown := by.get("undetermined"):
        line("[bold yellow]? UNDETERMINED: ask[/bold yellow]")
        for key, group in _grouped(unknown, lambda one: tuple(ask["ask"] or ask["label"] for ask in one["missing"])).items():
            line(f"  {_names(group)}")
            for question in key:
                line(f"    → {escape(question)}")
    if silent := by.get("not-indicated"):
        line("[bold]– NOT INDICATED[/bold]")
        for key, group in _grouped(silent, lambda one: one["reason"]).items():
            line(f"  {REASONS[key]}:\n    {_names(group)}")
    _beside(console, row)


def _beside(console: Console, row: dict) -> None:
    line = console.print
    if row["flags"]:
        line("[bold]⚑ REVIEW[/bold]")
        for flag in row["flags"]:
            line(f"  {escape(flag['label'])}  [dim]{flag['flag']}[/dim]")
    if row["documentation"]:
        line("[bold]☐ DOCUMENTATION before an injection[/bold]")
        for item in row["documentation"]:
            line(f"  {item['item']} {item['status']:10} {escape(item['label'])}")
    if row["monitoring"]:
        line("[bold]◷ MONITORING[/bold]")
        for one in row["monitoring"]:
            line(f"  {one['treatment']}: {escape(one['label'])}: {one['status']}" + (f" (from {one['dueOn']})" if one["dueOn"] else ""))
    for one in row["prerequisites"]:
        line(f"[bold]⊢ BEFORE {one['treatment']}[/bold]  {escape(one['label'])}: {one['status']}")
    _checks(console, row)
    line()


def _checks(console: Console, row: dict) -> None:
    """What a check of the literature found otherwise than the source says it, for each rule that applies."""
    found = (rule for one in row["treatments"] for rule in one["recommendations"])
    rules = {rule["id"]: rule for rule in found if rule["status"] == "applies"}
    lines = []
    for name, rule in sorted(rules.items()):
        differing = [check for check in rule["checks"] if check["outcome"] in CHECK_OUTCOMES]
        outcomes = _grouped(differing, lambda check: check["outcome"])
        parts = []
        for outcome, checks in outcomes.items():
            statements = dict.fromkeys(said for check in checks for said in check["statements"])
            parts.append(f"{CHECK_OUTCOMES[outcome]} ({', '.join(statements)})")
        if parts:
            lines.append(f"  {escape(name)} {escape(rule['label'])}: {escape('; '.join(parts))}")
    if lines:
        console.print("[bold]≠ CHECKED against the literature[/bold]: `kg explain` and `kg query source-checks` say what differs")
    for line in lines:
        console.print(line)


def packet(console: Console, row: dict, checklists: Iterable[Checklist]) -> None:
    """Print the documentation checklists of one patient: each item with its facts, and what is missing."""
    line = console.print
    line(f"[bold]{escape(row['patient'])}[/bold]  as of {row['asOf']}  —  {escape(row['guideline']['label'])} {row['guideline']['version']}")
    checklists = tuple(checklists)
    if not checklists:
        line(f"{NOTHING_PLANNED} ({APPLICABILITY[row['applicability']]})\n")
    for checklist in checklists:
        line(f"[bold]{escape(checklist.label)}[/bold]: {checklist.complete} of {len(checklist.items)} items complete")
        for item in checklist.items:
            line(f"\n{item.sign} [bold]{item.id}[/bold] {escape(item.label)}: [bold]{item.status}[/bold], {item.words}")
            for fact in item.facts:
                line(f"    {escape(str(fact))}")
            for fact in item.beside:
                line(f"    also on record, not counted for it: {escape(str(fact))}")
            for lack in item.lacks:
                line(f"    → {escape(str(lack))}")
            line(f"    [dim]source line {', '.join(map(str, item.lines))}, {' '.join(item.statements)}[/dim]")
        line()
    line("[dim]Not a medical device.[/dim]")


def _grouped(rows: Iterable[dict], key) -> dict:
    groups: dict = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _rules(one: dict) -> str:
    direction = "for" if one["verdict"] == "eligible" else "against"
    return ", ".join(dict.fromkeys(rule["id"] for rule in one["recommendations"] if rule["status"] == "applies" and rule["direction"] == direction))


def _names(group: list[dict]) -> str:
    return escape(", ".join(one["label"] + (" (current)" if one["current"] else "") for one in group))
