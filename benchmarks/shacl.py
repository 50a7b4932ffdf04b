"""Milliseconds a patient of SHACL validation: pySHACL, which looks at one patient at a time, and TopBraid's engine, many in one graph.

`python -m benchmarks.shacl [PATIENTS]`: both check the same simulated patients in one run, and must find the same."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from kg import inputs
from kg.cohort.topbraid import TopBraid
from kg.engine import Triple
from kg.simulation import export
from kg.terms import PT
from kg.validate import Result, validate_record

#: Patients in one graph: as `kg cohort` validates a bulk export, a file with one patient, and a large file.
SIZES = (32, 1, 500)
