"""docs/sources.toml is complete and true to the lessons, and its page is in step."""

import importlib.util
from pathlib import Path

import pytest

from jaxintro._engine import catalog

DOCS = Path(__file__).parents[1] / "docs"
IDS = [
    f"{letter}{number}"
    for letter, last in {
        "N": 14, "R": 13, "P": 10, "G": 14, "V": 9, "J": 20, "D": 6, "M": 4, "W": 3,
        "O": 8, "X": 8, "T": 27,
    }.items()
    for number in range(1, last + 1)
]  # fmt: skip
GOOD = {
    "N1": {
        "lesson": "numpy_parity",
        "verdict": "holds",
        "says": "A sentence.",
        "today": "A sentence.",
        "checks": ["check_arrays_are_numpys"],
    }
}


def load_script():
    spec = importlib.util.spec_from_file_location("sources", DOCS / "sources.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sources = load_script()


def complaints(name, row):
    """All that is wrong with one row."""
    found = []
    if set(row) != set(GOOD["N1"]):
        return [f"{name} has {sorted(row)}"]
    if row["verdict"] not in sources.VERDICTS:
        found.append(f"{name}: no such verdict as '{row['verdict']}'")
    found += [
        f"{name}: '{field}' is not a sentence"
        for field in ("says", "today")
        if not row[field].endswith(".")
    ]
    if not row["checks"]:
        found.append(f"{name}: nothing settles it")
    missing = set(row["checks"]) - set(sources.claims_of(row["lesson"]))
    return found + [f"{name}: no {c} in {row['lesson']}" for c in sorted(missing)]


def test_every_statement_has_its_row():
    assert sorted(sources.load()) == sorted(IDS)


def test_rows_stand_in_the_order_of_the_course():
    names = [lesson.name for lesson in catalog.course()]
    places = [names.index(row["lesson"]) for row in sources.load().values()]
    assert places == sorted(places)


@pytest.mark.parametrize(("name", "row"), sources.load().items())
def test_row_is_settled_by_checks_that_exist(name, row):
    assert complaints(name, row) == []


def test_the_page_is_in_step():
    page = (DOCS / "SOURCES.md").read_text(encoding="utf-8")
    assert page == sources.render(), "run `python docs/in_step.py`"


def test_the_page_holds_every_row_as_one_line_of_a_table():
    lines = sources.render().splitlines()
    rows = [line for line in lines if line.startswith(tuple(f"| {i} |" for i in IDS))]
    assert [line.split()[1] for line in rows] == list(sources.load())
    bars = {line.replace("\\|", "").count("|") for line in rows}
    assert bars == {6}


def test_a_good_row_raises_no_complaint():
    assert complaints("N1", GOOD["N1"]) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"verdict": "probably"}, "no such verdict as 'probably'"),
        ({"checks": []}, "nothing settles it"),
        ({"checks": ["check_nothing"]}, "no check_nothing in numpy_parity"),
        ({"lesson": "vmap"}, "no check_arrays_are_numpys in vmap"),
        ({"today": ""}, "'today' is not a sentence"),
        ({"todya": "A sentence."}, "todya"),
    ],
)
def test_a_bad_row_is_noticed(change, word):
    assert any(word in line for line in complaints("N1", {**GOOD["N1"], **change}))


def test_a_changed_claim_or_a_missing_row_changes_the_page(monkeypatch):
    before, rows = sources.render(), sources.load()
    claims = {check: "Another claim." for check in sources.claims_of("vmap")}
    real = sources.claims_of
    monkeypatch.setattr(
        sources, "claims_of", lambda name: claims if name == "vmap" else real(name)
    )
    assert sources.render() != before
    monkeypatch.undo()
    monkeypatch.setattr(
        sources, "load", lambda: {name: rows[name] for name in list(rows)[1:]}
    )
    assert sources.render() != before


def test_a_check_that_is_gone_is_told_in_a_line(monkeypatch):
    rows = {"N1": {**GOOD["N1"], "checks": ["check_gone"]}}
    monkeypatch.setattr(sources, "load", lambda: rows)
    with pytest.raises(SystemExit, match="N1 names 'check_gone'"):
        sources.render()


def test_markdown_keeps_code_and_shows_every_sign():
    assert sources._escape("`a|b*` x*y <n> |z|") == "`a\\|b*` x\\*y &lt;n> \\|z\\|"
