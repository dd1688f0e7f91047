import lessons
import pytest

from jaxintro._engine import outcome
from jaxintro._engine.catalog import UsageError


def run(folder, source=lessons.GOOD, **options):
    found, module = lessons.load(folder, source)
    return [outcome.run_section(module, s, **options) for s in found.sections]


def test_values_and_verdicts_come_back(tmp_path):
    definition, half, count = run(tmp_path)
    assert definition.value is None
    assert half.value == 2.0
    assert count.value == {"n": 3, "words": ["one"] * 3}
    assert all(result.holds for result in (half, count))
    assert len(count.verdicts) == 2


def test_a_claim_that_fails_says_where(tmp_path):
    source = lessons.GOOD.replace("== {'one'}", "").replace('{"one"}', '{"two"}')
    verdict = run(tmp_path, source)[-1].verdicts[-1]
    assert not verdict.holds
    assert "assert set(count()" in verdict.message
    assert "\n" not in verdict.message


def test_a_demo_that_raises_is_reported_and_the_others_run(tmp_path):
    source = lessons.GOOD.replace("return scale(x, 0.5)", "return x / 0")
    _, half, count = run(tmp_path, source)
    assert half.error.startswith("ZeroDivisionError: ")
    assert "return x / 0" in half.error
    assert not half.verdicts[0].holds
    assert count.holds


def test_a_demo_that_exits_is_a_demo_that_raises(tmp_path):
    source = lessons.GOOD.replace("return scale(x, 0.5)", "raise SystemExit(3)")
    assert run(tmp_path, source)[1].error.startswith("SystemExit: 3")


@pytest.mark.parametrize("ending", ["return half() == 3", "yield half() == 3"])
def test_a_check_that_asserts_nothing_does_not_hold(tmp_path, ending):
    source = lessons.GOOD.replace('assert set(count()["words"]) == {"one"}', ending)
    verdict = run(tmp_path, source)[-1].verdicts[-1]
    assert not verdict.holds
    assert "a check asserts" in verdict.message


def test_a_file_that_exits_at_import_is_refused(tmp_path):
    source = lessons.GOOD.replace("LIMIT = 3", "raise SystemExit(0)")
    with pytest.raises(UsageError, match="SystemExit"):
        run(tmp_path, source)


def test_ctrl_c_goes_through(tmp_path):
    source = lessons.GOOD.replace("return scale(x, 0.5)", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, source)


def test_a_file_that_cannot_be_imported_says_where(tmp_path):
    source = lessons.GOOD.replace("LIMIT = 3", "LIMIT = 1 / 0")
    with pytest.raises(UsageError, match=r"ZeroDivisionError.*line 8: LIMIT = 1 / 0"):
        run(tmp_path, source)


def test_tally_counts_claims_and_what_broke(tmp_path):
    tally = outcome.Tally()
    source = lessons.GOOD.replace('{"one"}', '{"two"}')
    for result in run(tmp_path, source):
        tally.add(result)
    assert (tally.demos, tally.claims, tally.broken) == (2, 3, 1)


def test_sharpness_is_measured_when_asked_for(tmp_path):
    assert run(tmp_path)[1].verdicts[0].sharpness is None
    sharpness = run(tmp_path, sharpness=True)[1].verdicts[0].sharpness
    assert 1e-8 < sharpness < 1e-6  # assert_allclose's own tolerance is 1e-7
