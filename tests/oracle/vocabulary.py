"""Names the oracle hard-codes: concept tree, active substances, treatment leaves (spec/output.md), recommendations."""

GL = "https://w3id.org/sacroiliitis-kg/core#"
PT = "https://w3id.org/sacroiliitis-kg/patient#"
CL = "https://w3id.org/sacroiliitis-kg/clinical#"

_CHILDREN = {
    "Drug": "Biologic JakInhibitor Nsaid Glucocorticoid ConventionalDmard LocalAnaesthetic Proliferant",
    "Biologic": "TnfInhibitor InterleukinInhibitor OtherBiologic",
    "InterleukinInhibitor": "Il17Inhibitor",
    "TnfInhibitor": "Etanercept Adalimumab Infliximab Golimumab CertolizumabPegol EtanerceptBiosimilar "
    "AdalimumabBiosimilar InfliximabBiosimilar",
    "Biosimilar": "EtanerceptBiosimilar AdalimumabBiosimilar InfliximabBiosimilar",
    "Il17Inhibitor": "Secukinumab Ixekizumab",
    "Nsaid": "NonselectiveNsaid SelectiveCox2Inhibitor",
    "NonselectiveNsaid": "Naproxen Ibuprofen Diclofenac Indomethacin Meloxicam",
    "SelectiveCox2Inhibitor": "Celecoxib Etoricoxib",
    "Glucocorticoid": "Prednisone Prednisolone Methylprednisolone Betamethasone Triamcinolone",
    "ConventionalDmard": "Sulfasalazine Methotrexate Leflunomide",
    "LocalAnaesthetic": "Ropivacaine",
    "Proliferant": "Dextrose",
    "SiJointInjection": "GuidedSiJointInjection UnguidedSiJointInjection SiInjectionRepeat",
    "GuidedSiJointInjection": "SiInjectionFluoroscopy SiInjectionUltrasound SiInjectionCt",
    "UnguidedSiJointInjection": "SiInjectionUnguided",
    "DiagnosticBlock": "SiDiagnosticBlock",
    "PhysicalTherapy": "ActivePhysicalTherapyModality PassivePhysicalTherapyModality PhysicalTherapyUnspecified",
    "ActivePhysicalTherapyModality": "ActivePhysicalTherapy PelvicStabilizationExercise LandBasedPhysicalTherapy "
    "AquaticPhysicalTherapy",
    "PassivePhysicalTherapyModality": "Massage TherapeuticUltrasound HeatTherapy",
    "SacroiliitisDiagnosis": "Sacroiliitis",
    "AxialSpondyloarthritis": "AnkylosingSpondylitis NonRadiographicAxialSpondyloarthritis "
    "AxialSpondyloarthritisUnspecified AxialSpondyloarthritisWithPeripheralArthritis",
    "PeripheralJointDisease": "AxialSpondyloarthritisWithPeripheralArthritis PeripheralArthritis",
    "LumbarPathology": "LumbarDiscHerniation LumbarSpinalStenosis LumbarFacetDisease",
    "SacroiliacPainCondition": "SacroiliacPain LowBackPain",
    "OtherCauseOfSacroiliitis": "UnspecifiedOtherCause SpinalFracture InfectiousCauseOfSacroiliitis",
    "InfectiousCauseOfSacroiliitis": "InfectiousSacroiliitis SpinalTuberculosis",
    "UlcerOrBleed": "PepticUlcer GastrointestinalBleed",
    "SilentRisk": "SpinalTuberculosis Tuberculosis LatentTuberculosis HepatitisB HeartFailure DemyelinatingDisease "
    "InflammatoryBowelDisease Uveitis Psoriasis Malignancy Pregnancy",
    "PainScore": "PainIntensity",
    "DiseaseActivityScore": "Asdas Basdai",
    "ProvocationManeuver": "ThighThrust Faber LateralCompression Distraction Gaenslen SacralThrust",
    "SacroiliacImaging": "SacroiliacRadiograph SacroiliacMri SacroiliacCt",
}
CHILDREN = {parent: tuple(children.split()) for parent, children in _CHILDREN.items()}
# drugs of which the contract says no more than "another biologic or a JAK inhibitor"
STANDS_FOR = {name: "JakInhibitor" for name in ("Tofacitinib", "Upadacitinib", "Baricitinib", "Filgotinib")}
STANDS_FOR |= {name: "OtherBiologic" for name in ("Rituximab", "Abatacept", "Ustekinumab", "Guselkumab", "Risankizumab",
                                                  "Tocilizumab", "Sarilumab", "Anakinra")}
MAY_BE = {
    "SiInjectionPurposeNotStated": ("SiJointInjection", "DiagnosticBlock"),
    "SiBlockPurposeNotStated": ("SiJointInjection", "DiagnosticBlock"),
}


def below(concept):
    """The set of concepts strictly below `concept` in the hard-coded tree."""
    found = set()
    for child in CHILDREN.get(concept, ()):
        found |= {child} | below(child)
    return found


BELOW = {concept: frozenset(below(concept)) for concept in CHILDREN}


def is_a(concept, above):
    """True when `concept` is `above` or stands below it."""
    return concept == above or concept in BELOW.get(above, ())


def may_be(concept, above):
    """True when `concept` is not surely `above`, but a fact about it may be one (a class above it, an unread purpose)."""
    return not is_a(concept, above) and (above in BELOW.get(concept, ()) or above in MAY_BE.get(concept, ()))


def ancestors(concept):
    """The set of concepts strictly above `concept`."""
    return {parent for parent, under in BELOW.items() if concept in under}


BIOSIMILARS = {f"{name}Biosimilar": name for name in ("Etanercept", "Adalimumab", "Infliximab")}
TNF_SUBSTANCES = ("Etanercept", "Adalimumab", "Infliximab", "Golimumab", "CertolizumabPegol")
TNF_AGENTS = TNF_SUBSTANCES[:4]
IL17_SUBSTANCES = ("Secukinumab", "Ixekizumab")


def substance(drug):
    """The active substance of a drug individual: the originator of a biosimilar, otherwise the drug itself."""
    return BIOSIMILARS.get(drug, drug)


# slug -> individual, in the order of spec/output.md
LEAVES = {
    "etanercept": "Etanercept", "adalimumab": "Adalimumab", "infliximab": "Infliximab", "golimumab": "Golimumab",
    "certolizumab-pegol": "CertolizumabPegol", "secukinumab": "Secukinumab", "ixekizumab": "Ixekizumab",
    "etanercept-biosimilar": "EtanerceptBiosimilar", "adalimumab-biosimilar": "AdalimumabBiosimilar",
    "infliximab-biosimilar": "InfliximabBiosimilar", "si-injection-fluoroscopy": "SiInjectionFluoroscopy",
    "si-injection-ultrasound": "SiInjectionUltrasound", "si-injection-ct": "SiInjectionCt",
    "si-injection-unguided": "SiInjectionUnguided", "si-injection-repeat": "SiInjectionRepeat",
    "prolotherapy-dextrose": "ProlotherapyDextrose", "cooled-radiofrequency-ablation": "CooledRadiofrequencyAblation",
    "si-joint-fusion": "SiJointFusion", "active-physical-therapy": "ActivePhysicalTherapy",
    "pelvic-stabilization-exercise": "PelvicStabilizationExercise",
    "land-based-physical-therapy": "LandBasedPhysicalTherapy", "aquatic-physical-therapy": "AquaticPhysicalTherapy",
    "massage": "Massage", "therapeutic-ultrasound": "TherapeuticUltrasound", "heat-therapy": "HeatTherapy",
    "nsaid-on-demand": "NsaidOnDemand", "nsaid-continuous": "NsaidContinuous", "cox2-inhibitor": "Cox2Inhibitor",
    "systemic-glucocorticoid-ongoing": "SystemicGlucocorticoidOngoing",
    "oral-glucocorticoid-bridging": "OralGlucocorticoidBridging",
    "methotrexate-monotherapy": "MethotrexateMonotherapy", "methotrexate-combination": "MethotrexateCombination",
    "sulfasalazine": "Sulfasalazine", "leflunomide": "Leflunomide",
    "evaluation-for-other-cause": "EvaluationForOtherCause",
}
SLUG_OF = {name: slug for slug, name in LEAVES.items()}
TNF_LEAVES = ("etanercept", "adalimumab", "infliximab", "golimumab", "etanercept-biosimilar", "adalimumab-biosimilar",
              "infliximab-biosimilar")
IL17_LEAVES = ("secukinumab", "ixekizumab")
BIOLOGIC_LEAVES = TNF_LEAVES + ("certolizumab-pegol",) + IL17_LEAVES
GUIDED_LEAVES = ("si-injection-fluoroscopy", "si-injection-ultrasound", "si-injection-ct")
INJECTION_LEAVES = GUIDED_LEAVES + ("si-injection-unguided", "si-injection-repeat")
NSAID_LEAVES = ("nsaid-on-demand", "nsaid-continuous", "cox2-inhibitor")
STEROID_LEAVES = ("systemic-glucocorticoid-ongoing", "oral-glucocorticoid-bridging")
PASSIVE_LEAVES = ("massage", "therapeutic-ultrasound", "heat-therapy")
MTX_LEAVES = ("methotrexate-monotherapy", "methotrexate-combination")

USES = {slug: "Glucocorticoid" for slug in INJECTION_LEAVES + STEROID_LEAVES}
USES |= {"nsaid-on-demand": "Nsaid", "nsaid-continuous": "Nsaid", "cox2-inhibitor": "SelectiveCox2Inhibitor"}
USES |= {slug: "Methotrexate" for slug in MTX_LEAVES} | {"prolotherapy-dextrose": "Dextrose"}
