"""The lens: look at your own function as JAX sees it.

`follow` shows what each line of a function gave, `explain` the road from Python to
machine code, `race` times candidates honestly, `traces` counts traces and says why each
was needed, `traces_of_program` lists all that a region of a program compiles, `audit`
finds what makes a function impure. Each has a folder, whose door says which file holds
what; beside them stands what several share.
"""

from jaxintro.lens.audit import Audit, Finding, audit
from jaxintro.lens.explain import Explanation, explain
from jaxintro.lens.follow import Followed, follow
from jaxintro.lens.race import Race, race
from jaxintro.lens.traces import Traces, traces
from jaxintro.lens.traces.program import Compilations, traces_of_program

__all__ = [
    "Audit",
    "Compilations",
    "Explanation",
    "Finding",
    "Followed",
    "Race",
    "Traces",
    "audit",
    "explain",
    "follow",
    "race",
    "traces",
    "traces_of_program",
]
