"""What a report of `audit` says, and how."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import wild_cases

from jaxintro.lens import audit
from jaxintro.lens.audit.kinds import KINDS, TRACER, WORDS
from jaxintro.lens.audit.waivers import unknown
from jaxintro.lens.follow.record import recording

X = np.arange(3.0, dtype=np.float32)
kept = {"rows": []}


def findings(function, *args):
    return audit(function, *args).findings


# the chain that holds a leaked tracer


def test_a_leak_names_the_chain_that_holds_it():
    def keeps(x):
        kept["rows"].append({"h": (x.ndim, x)})
        return x

    (found,) = findings(keeps, X)
    assert found.kind == "leaked tracer"
    assert "it is `kept['rows'][0]['h'][1]`" in found.what


def test_a_leak_into_an_object_names_its_attribute():
    class Model:
        def __init__(self):
            self.cache = {}

        def fill(self, x):
            self.cache["h"] = jnp.sin(x)
            return x

    (found,) = findings(Model().fill, X)
    assert "it is `self.cache['h']`" in found.what.replace('"', "'") or (
        found.what == "keeps a tracer in `self.cache`: it is `self.cache['h']`"
    )


def test_a_function_that_closes_over_a_tracer_is_in_the_chain():
    held = []

    def keeps(x):
        held.append(lambda: x)
        return x

    (found,) = findings(keeps, X)
    assert found.kind == "leaked tracer"
    assert "held[0] (its closed-over x)" in found.what


def test_an_inner_leak_tells_where_it_is_used():
    def keeps(x):
        found = []
        jax.lax.fori_loop(0, 3, lambda i, c: (found.append(c), c)[1], x)

        def body(i, carry):
            found.append(carry)
            return carry

        y = jax.lax.fori_loop(0, 3, body, x)
        return y + found[0]

    line = inspect.getsourcelines(keeps)[1]
    (found,) = [each for each in findings(keeps, X) if each.kind == "leaked tracer"]
    assert found.line in (line + 2, line + 5)
    assert f"line {line + 9} uses" in found.what


# what is quoted


def test_the_right_one_of_two_statements_is_quoted():
    function, *args = wild_cases.two_statements_on_a_line()
    (found,) = findings(function, *args)
    assert "`print(y)`" in found.what


def test_a_partial_names_its_parameter_and_no_self():
    function, *args = wild_cases.a_partial_with_a_list()
    (found,) = findings(function, *args)
    assert found.what == "changes the argument `log`"


def test_a_change_in_a_library_call_quotes_the_call():
    function, *args = wild_cases.a_queue()
    (found,) = findings(function, *args)
    assert found.what.startswith("`waiting.put(x.ndim)` changes `waiting`")


# cures that exist


def test_the_cure_of_a_numpy_lookup_is_a_jax_array():
    function, *args = wild_cases.a_numpy_array_at_a_tracer()
    (found,) = findings(function, *args)
    assert found.cure == "Make it a JAX array first: `jnp.asarray(table)[i, :]`."


def test_the_cure_of_an_assignment_to_a_part_is_python():
    def sets(x, i):
        x[i, :] = 0.0
        return x

    (found,) = findings(sets, np.eye(3, dtype=np.float32), 1)
    assert found.cure == "`x = x.at[i, :].set(0.0)`"


def test_the_cure_of_a_numpy_store_is_a_jax_array():
    function, *args = wild_cases.a_number_in_a_numpy_array()
    (found,) = findings(function, *args)
    assert "`table = jnp.asarray(table).at[0].set(…)`" in found.cure


def test_no_cure_names_a_function_that_is_not_there():
    def busy(x):
        return x * np.busday_count("2020-01", "2020-02") * np.busday_count(x, x)

    for found in findings(busy, X):
        assert "jnp.busday_count" not in found.cure
    assert "same name" not in str(WORDS)


def test_several_names_are_arguments():
    rates = {"a": 1.0}
    sizes = [2]

    def change():
        rates["a"] = 2.0
        sizes.append(3)

    def reads(x):
        return x * rates["a"] * sizes[0]

    (found,) = findings(reads, X)
    assert found.cure.endswith("as arguments.")
    assert change is not None


# the page


def test_a_tracer_is_explained_once_and_where_it_first_appears():
    def leaks(x):
        print(x.shape)
        kept["a"] = x
        kept["b"] = x
        return x

    text = str(audit(leaks, X))
    first = TRACER.split(":")[0]
    assert text.count(first) == 1
    assert "tracer" in text[: text.index(first)]
    assert text.index(first) < text.index("line", text.index(first))


def test_a_report_without_tracers_does_not_explain_them():
    assert "tracer" not in str(audit(lambda x: x.at[0].set(1.0), X))


def test_the_notes_on_what_is_baked_in_are_one():
    class Model:
        def __init__(self):
            self.a, self.b, self.c = 1.0, 2.0, 3.0

        def __call__(self, x):
            return x * self.a + self.b + self.c + self.a

    (note,) = audit(Model(), X).untold
    assert note.startswith("`self.a`, `self.b` and `self.c` are baked in")


def test_each_finding_stands_once():
    def prints(x):
        print(x, print(x))
        return x

    assert len(audit(prints, X)) == 1


def test_no_url_is_cut():
    url = "https://docs.jax.dev/en/latest/" + "-".join(["a-long-page"] * 9) + ".html"

    def fails(x):
        raise ValueError(f"see {url} for more of what is wrong here")

    lines = str(audit(fails, X)).split("\n")
    assert any(url in line for line in lines)


# the kinds


def test_every_kind_can_be_allowed():
    assert unknown({kind.lower() for kind in KINDS}) == []
    assert unknown({"outptu"}) == ["outptu"]


# a page that follows its lines


def add(x):
    y = x * 2
    return y


def test_the_recorder_of_a_page_is_no_finding():
    with recording([add]) as recorder:
        report = audit(add, X)
        assert add(3.0) == 6.0
    assert report.clean
    assert str(report) == "audit of add: nothing found"
    assert recorder.lines
