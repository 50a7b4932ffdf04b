"""What every reader of a resource needs: the code index, the record and the patients."""

from __future__ import annotations

from dataclasses import dataclass, field

from kg.codes import CodeIndex
from kg.fhir.record import Entry, Record
from kg.fhir.views import View


@dataclass(frozen=True)
class Context:
    """`births`: date of birth by patient IRI. `procedures`: fact IRI and patient IRI of each Procedure that gave a
    fact.

    `used`: the entries that others were read with, such as a Medication."""

    codes: CodeIndex
    record: Record
    births: dict[str, str] = field(default_factory=dict)
    procedures: dict[str, tuple[str, str]] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)

    def target(self, entry: Entry, reference: View | None) -> Entry | None:
        """The resource that a Reference element names, or None when it names none in the input."""
        named = reference.text("reference") if reference else None
        return self.record.resolve(entry, named) if named else None

    def patient(self, entry: Entry) -> Entry | None:
        """The Patient whom a resource is about."""
        owner = "patient" if "patient" in entry.data and "subject" not in entry.data else "subject"
        reference = entry.data.get(owner)
        named = reference.get("reference") if isinstance(reference, dict) else None
        found = self.record.resolve(entry, named) if isinstance(named, str) and named else None
        return found if found and found.kind == "Patient" else None
