"""`audit` takes any callable, and says what it found in plain words."""

import functools
import inspect
import linecache
from pathlib import Path

import impure_changes
import impure_effects
import impure_reads
import impure_tracers
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from impure_functions import FUNCTIONS

import jaxintro
from jaxintro.lens import Audit, Finding, audit
from jaxintro.lens.files import is_user_file

X = np.arange(3.0, dtype=np.float32)


class Caller:
    def __call__(self, x):
        print(x)
        return x

    @functools.partial(jax.jit, static_argnums=0)
    def jitted(self, x):
        print(x)
        return x


def noisy(x, scale=1.0):
    print(x)
    return x * scale


CALLABLES = {
    "plain": noisy,
    "jitted": jax.jit(noisy),
    "vmapped": jax.vmap(noisy),
    "differentiated": jax.grad(lambda x: noisy(x).sum()),
    "jitted gradient": jax.jit(jax.grad(lambda x: noisy(x).sum())),
    "partial": functools.partial(noisy, scale=2.0),
    "checkpointed": jax.checkpoint(noisy),
    "object": Caller(),
    "method": Caller().__call__,
    "jitted method": Caller().jitted,
    "lambda": lambda x: noisy(x),
    "in a scan": lambda x: jax.lax.map(noisy, x),
}


@pytest.mark.parametrize("function", CALLABLES.values(), ids=CALLABLES.keys())
def test_sees_through(function):
    found = audit(function, X)
    assert [each.kind for each in found] == ["output"]
    assert "print(x)" in found.findings[0].what
    assert (
        "print(x)" in Path(__file__).read_text().split("\n")[found.findings[0].line - 1]
    )


def test_a_decorator_of_the_users_is_read_too():
    def loud(function):
        @functools.wraps(function)
        def inner(*args):
            print("calling")
            return function(*args)

        return inner

    assert [each.kind for each in audit(loud(lambda x: x * 2), X)] == ["output"]


def branch(x, n):
    return x if n > 2 else -x


@pytest.mark.parametrize(
    "options",
    [{"static_argnums": 1}, {"static_argnames": "n"}, {"static_argnums": (1,)}],
)
def test_static_arguments_are_not_traced(options):
    assert [each.kind for each in audit(branch, X, 3)] == ["value-dependent branch"]
    assert not audit(branch, X, 3, **options)


@pytest.mark.parametrize("options", [{"static_argnums": 1}, {"static_argnames": "n"}])
def test_the_static_arguments_of_jit_are_known(options):
    jitted = jax.jit(branch, **options)
    assert not audit(jitted, X, 3)
    assert not audit(jitted, X, n=3)


def test_notebook_cells_are_read_together():
    """In a notebook the change is in another cell than the function."""
    cells = ["rate = 0.1", "def step(w):\n    return w - rate * w", "rate = 0.2"]
    names = {"get_ipython": None, "_ih": cells}
    for number, cell in enumerate(cells):
        filename = f"<ipython-input-{number}-audit>"
        lines = [line + "\n" for line in cell.split("\n")]
        linecache.cache[filename] = (len(cell), None, lines, filename)
        exec(compile(cell, filename, "exec"), names)
    assert [each.kind for each in audit(names["step"], X)] == ["outside state"]
    names["_ih"] = cells[:2]
    assert not audit(names["step"], X)


def audit_with_defaults(function):
    """The audit of a function with the defaults of its parameters."""
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = inspect.signature(function).parameters.values()
    return audit(function, *[each.default for each in parameters if each.kind is plain])


def test_the_report_fits_in_70_columns():
    for function in FUNCTIONS:
        text = str(audit_with_defaults(function))
        assert max(map(len, text.split("\n"))) <= 70, text
        assert "\x1b" not in text


def test_a_finding_has_plain_fields_and_names_the_variable():
    (found,) = audit(impure_changes.counts_its_calls, X)
    assert isinstance(found, Finding)
    assert found.kind == "mutation"
    assert found.file == impure_changes.__file__
    assert found.what == "changes the global `counter`"
    assert found.consequence.startswith("Under jit this happens once per trace")
    assert "`counter`" in found.cure


def test_the_cure_of_an_assignment_can_be_copied():
    (found,) = audit(impure_tracers.assigns_an_item, X)
    assert found.cure == "`x = x.at[0].set(1.0)`"


def test_a_report_is_false_if_it_is_clean():
    clean, dirty = audit(jnp.sin, X), audit(noisy, X)
    assert isinstance(clean, Audit)
    assert clean.clean
    assert not clean
    assert dirty
    assert not dirty.clean
    assert len(dirty) == 1
    assert list(dirty) == [*dirty.findings]
    assert str(clean).startswith("audit of sin: nothing found")


def test_the_html_is_escaped():
    def compares(x):
        print(x < 1)
        return x

    page = audit(compares, X)._repr_html_()
    assert "print(x &lt; 1)" in page
    assert "<table>" in page


def test_an_exception_of_the_functions_own_is_shown_as_theirs():
    def fails(x):
        print("before")
        raise KeyError("no such weight")

    found = audit(fails, X)
    line = inspect.getsourcelines(fails)[1] + 2
    assert [each.kind for each in found] == ["output"]
    assert f"line {line} (KeyError: 'no such weight')" in found.untold[0]


def test_what_acts_on_the_world_is_read_and_not_traced():
    found = audit(impure_effects.removes_a_file, X)
    assert "was not done" in found.findings[0].consequence
    assert found.traced


def test_says_that_a_source_cannot_be_read():
    names = {}
    exec("def hidden(x): return x * 2", names)
    found = audit(names["hidden"], X)
    assert found.untold == ("the source of hidden cannot be read; it was traced.",)


def test_says_that_a_container_could_change():
    found = audit(impure_reads.Recurrent().reads_a_fixed_attribute, X)
    assert not found
    assert "`self.size` is baked in" in found.untold[0]


class Coin:
    """Its property is read through another name only."""

    def __init__(self):
        self._bias = 0.5

    @property
    def bias(self):
        return self._bias

    def toss(self, x):
        bias = self.bias
        return jnp.where(bias > 0, x * bias, bias)


def test_a_property_that_another_name_stands_for_is_read_too():
    assert "`self._bias` is baked in" in audit(Coin().toss, X).untold[0]


def made(inner):
    def calls(x):
        return inner(x)

    return calls


def test_functions_of_one_source_are_told_apart_by_what_they_hold():
    """What is kept of a source is kept without the values."""
    assert audit(made(jnp.sin), X).clean
    assert [each.kind for each in audit(made(noisy), X)] == ["output"]
    assert audit(made(jnp.sin), X).clean


def test_a_source_that_has_changed_is_read_anew(tmp_path):
    path = tmp_path / "changing.py"
    for text, kinds in (
        ("def f(x):\n    return x\n", []),
        ("def f(x):\n    print(x)\n    return x\n", ["output"]),
        ("def f(x):\n    # nothing is printed any more\n    return x\n", []),
    ):
        path.write_text(text)
        names = {}
        exec(compile(text, str(path), "exec"), names)
        assert [each.kind for each in audit(names["f"], X)] == kinds


def test_a_generator_function_is_only_read():
    def gives(x):
        yield x

    assert "cannot be traced" in audit(gives, X).untold[0]


def test_what_is_no_function_is_refused_in_one_line():
    with pytest.raises(TypeError, match=r"^audit expects a function .* type int: 3$"):
        audit(3, X)


def test_missing_arguments_are_named():
    with pytest.raises(TypeError, match=r"^audit needs the arguments of branch: .*'n'"):
        audit(branch, X)


def test_arguments_that_are_no_pytree_are_told():
    found = audit(lambda d: d, {1: X, "a": X})
    assert "no pytree" in found.untold[0]


def test_lessons_are_read_and_libraries_are_not():
    package = Path(jaxintro.__file__).parent
    assert is_user_file(str(package / "grad.py"))
    assert is_user_file(__file__)
    assert not is_user_file(inspect.getsourcefile(Audit))
    assert not is_user_file(inspect.getsourcefile(jax.jit))
    assert not is_user_file(inspect.getsourcefile(functools.partial))
