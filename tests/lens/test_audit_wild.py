"""`audit` on what the code of others does: the right kind, the right line, no more."""

import inspect
from pathlib import Path

import pytest
import wild_cases

from jaxintro.lens import audit

# where the finding of a case stands, if not in the case itself
ELSEWHERE = {
    "an_attribute_that_holds_a_function": wild_cases.Swapped,
    "a_static_argument_that_changes": wild_cases.scaled,
    "a_cached_property_of_a_tracer": wild_cases.Lazy,
    "a_timer": wild_cases.Timer,
    "a_number_that_is_computed_with": wild_cases.Counter,
    "a_partial_with_a_list": wild_cases.record,
}
LINES = Path(wild_cases.__file__).read_text(encoding="utf-8").split("\n")


def marked(part):
    """Line and kind of every finding that is marked in a part of the file."""
    lines, start = inspect.getsourcelines(part)
    kinds = [line.rstrip().partition("# ! ")[2] for line in lines]
    return {(start + i, kind) for i, kind in enumerate(kinds) if kind}


@pytest.mark.parametrize("case", wild_cases.CASES, ids=lambda case: case.__name__)
def test_finds_what_is_marked_and_nothing_else(case):
    if "nnx" in case.__name__:
        pytest.importorskip("flax")
    if "picture" in case.__name__:
        pytest.importorskip("matplotlib").use("Agg")
    function, *args = case()
    base = args.pop() if case.__name__ == "a_row_of_a_database" else None
    expected = marked(ELSEWHERE.get(case.__name__, case))
    found = audit(function, *args)
    assert {(each.line, each.kind) for each in found} == expected, str(found)
    assert all(each.file == wild_cases.__file__ for each in found)
    assert found or "nothing found" in str(found)
    if base is not None:
        assert base.execute("select count(*) from t").fetchone() == (0,)
        base.close()
