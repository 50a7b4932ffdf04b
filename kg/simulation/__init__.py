"""A synthetic population: patients as FHIR R4, drawn from the distributions of `ontology/population.toml`.

Patient k of a seed is the same however many are made. Nothing is taken from anybody's records."""

from kg.simulation.export import Wanted, export
from kg.simulation.person import Calendar
from kg.simulation.population import Patient, Population, population

__all__ = ["Calendar", "Patient", "Population", "Wanted", "export", "population"]
