"""Clean, with findings, or not traced; and what a comment allows."""

import inspect
import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxintro.lens import audit

X = np.arange(3.0, dtype=np.float32)


# not traced is not "nothing found"


def gives(x):
    yield x


UNTRACED = {
    "an error of its own": (lambda x: {}["k"], X),
    "NumPy's own function": (np.sin, X),
    "a string": (lambda x: "done", X),
    "an object": (lambda x: (x, object()), X),
    "a generator": (gives, X),
    "no pytree": (lambda d: d, {1: X, "a": X}),
    "an iterator": (lambda x, it: x * next(it), X, (each for each in (1.0, 2.0))),
}


@pytest.mark.parametrize("call", UNTRACED.values(), ids=UNTRACED.keys())
def test_what_is_not_traced_is_not_clean(call):
    report = audit(*call)
    assert not report.traced
    assert not report.clean
    assert report
    assert "not traced" in str(report).split("\n")[0]
    assert "nothing found" not in str(report)
    assert report.untold


@pytest.mark.parametrize("result", [None, 1.0, (), {"a": True}, jnp.ones(2)])
def test_what_jit_returns_is_clean(result):
    report = audit(lambda x: (x, result), X)
    assert report.clean
    assert not report
    assert len(report) == 0
    assert report.head == "audit of <lambda>: nothing found"


def test_a_key_may_be_returned():
    assert audit(lambda x: jax.random.key(0), X).clean


def test_findings_and_no_trace_are_both_in_the_heading():
    def fails(x):
        print("before")
        raise KeyError("k")

    report = audit(fails, X)
    assert str(report).startswith("audit of fails: 1 finding, not traced to its end")
    assert not report.clean
    assert len(report) == 1
    assert "not traced" in report._repr_html_()


# what a comment allows


def test_a_comment_allows_a_kind_on_its_line():
    def prints(x):
        print(x.shape)  # audit: allow output
        return x * 2

    report = audit(prints, X)
    assert report.clean
    assert [each.kind for each in report.allowed] == ["output"]
    assert str(report) == "audit of prints: nothing found, 1 allowed by a comment"


def test_a_comment_allows_no_other_kind_and_no_other_line():
    def prints(x):
        print(x.shape)  # audit: allow leaked tracer
        print(x.shape)
        return x * 2

    report = audit(prints, X)
    assert len(report) == 2
    assert not report.allowed


def test_a_comment_allows_several_kinds():
    kept = []

    def keeps(x):
        kept.append(print(x) or x)  # audit: allow output, leaked tracer
        return x * 2

    report = audit(keeps, X)
    assert report.clean
    assert {each.kind for each in report.allowed} == {"output", "leaked tracer"}


def test_a_comment_may_stand_on_any_line_of_a_statement():
    def prints(x):
        print(
            "the shape is",
            x.shape,
        )  # audit: allow output
        return x * 2

    assert audit(prints, X).clean


def test_a_comment_in_the_body_does_not_allow_the_head():
    def branches(x):
        if x[0] > 0:
            return x  # audit: allow value-dependent branch
        return -x

    assert len(audit(branches, X)) == 1


def test_kinds_are_named_in_any_case():
    def reads(x):
        return x * float(os.getenv("S", "1"))  # audit: allow Outside State

    assert audit(reads, X).clean


def test_a_comment_that_names_no_kind_is_told():
    def prints(x):
        print(x.shape)  # audit: allow outptu
        return x * 2

    report = audit(prints, X)
    line = inspect.getsourcelines(prints)[1] + 1
    assert len(report) == 1
    assert f"line {line} allows `outptu`, which is no kind of finding." in report.untold


def test_what_is_allowed_and_not_done_is_still_traced(tmp_path):
    def makes(x):
        os.makedirs(tmp_path / "new")  # audit: allow output
        return x * 2

    assert audit(makes, X).clean
    assert not (tmp_path / "new").exists()
