"""Results of a patient as guidance for other systems: FHIR R4 resources and CDS Hooks cards.

Everything here is a pure function of one patient's results (`kg.results`), the patient's facts and the guideline. `rules`
what is needed of guideline and mappings; `facts` facts in words and references; `questions` what is missing; `resources`
FHIR out; `orders` and `cards` CDS Hooks."""
