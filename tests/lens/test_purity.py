"""`audit`: finds what is impure, is silent about what is pure, leaves no trace."""

import builtins
import contextlib
import functools
import importlib.util
import inspect
import io
import itertools
import linecache
import logging
import random
import re
import sys
import threading
from pathlib import Path
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxintro.lens import Audit, Finding, audit, traces

pytestmark = pytest.mark.usefixtures("usual_promotion")
HERE = Path(__file__).parent
X = np.arange(3.0, dtype=np.float32)


@pytest.fixture
def usual_promotion():
    """The rules that a user's code is written for, not the strict ones of the tests."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def load(name):
    """A file of this folder as a module."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


impure = load("impure_functions")
public = load("public_functions")

MARKS = {
    number: re.split(", ", line.partition("# ! ")[2])
    for number, line in enumerate(
        Path(impure.__file__).read_text(encoding="utf-8").split("\n"), start=1
    )
    if "# ! " in line
}
HELPERS = {
    "calls_what_reads_a_global": impure.helper,
    "has_its_argument_changed": impure.change_it,
}


def name_of(function):
    """The name of a test function, or of the class of a callable object."""
    return getattr(function, "__name__", type(function).__name__)


def lines_of(function):
    """The lines of a function's source."""
    if isinstance(function, impure.Scaled | impure.Configured):
        function = type(function).__call__
    function = inspect.unwrap(getattr(function, "__func__", function))
    source, start = inspect.getsourcelines(function)
    return range(start, start + len(source))


def expected(function):
    """What the comments say that an audit must find: pairs of line and kind."""
    lines = [*lines_of(function)]
    if name_of(function) in HELPERS:
        lines += lines_of(HELPERS[name_of(function)])
    return {(line, kind) for line in lines for kind in MARKS.get(line, ())}


def is_traced(report):
    """Whether a trace came to its end."""
    return not any("traced with" in each or "stopped" in each for each in report.untold)


def arguments(function):
    """The defaults of the parameters, which are what a function is audited with."""
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = inspect.signature(function).parameters.values()
    return [each.default for each in parameters if each.kind is plain]


FUNCTIONS = [*impure.PLAIN, *impure.MADE]


@pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
def test_finds_what_is_marked_and_nothing_else(function):
    found = audit(function, *arguments(function))
    assert {(each.line, each.kind) for each in found} == expected(function)
    assert found or is_traced(found)


@pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
def test_a_second_audit_finds_the_same(function):
    args = arguments(function)
    assert audit(function, *args).findings == audit(function, *args).findings


def test_there_are_forty_impure_functions_and_two_of_each_kind():
    kinds = {
        function: {kind for _, kind in expected(function)} for function in FUNCTIONS
    }
    assert sum(map(bool, kinds.values())) >= 40
    assert sum(not each for each in kinds.values()) >= 20
    for kind in itertools.chain(*MARKS.values()):
        assert sum(kind in each for each in kinds.values()) >= 2, kind


@pytest.mark.parametrize("case", public.jax_functions(), ids=lambda case: case.name)
def test_finds_nothing_in_jax(case):
    report = audit(case.function, *case.args)
    assert report.findings == ()
    assert is_traced(report)


@pytest.mark.parametrize("library", ["optax", "flax"])
def test_finds_nothing_in(library):
    pytest.importorskip(library)
    for case in getattr(public, f"{library}_functions")():
        report = audit(case.function, *case.args)
        assert report.findings == (), case.name
        assert is_traced(report), case.name


def test_an_optax_training_step_is_clean():
    optax = pytest.importorskip("optax")
    optimizer = optax.adam(0.1)

    def step(params, state, x):
        loss, slopes = jax.value_and_grad(lambda p: jnp.sum((p["w"] * x) ** 2))(params)
        updates, state = optimizer.update(slopes, state, params)
        return optax.apply_updates(params, updates), state, loss

    params = {"w": X}
    report = audit(jax.jit(step), params, optimizer.init(params), X)
    assert report.findings == report.untold == ()


def test_a_flax_module_of_the_users_is_clean():
    nn = pytest.importorskip("flax.linen")

    class Net(nn.Module):
        width: int

        @nn.compact
        def __call__(self, x, train=False):
            x = nn.relu(nn.Dense(self.width)(x))
            return nn.Dropout(0.5, deterministic=not train)(x)

    net = Net(4)
    params = net.init(jax.random.key(0), X)
    assert str(audit(net.apply, params, X)) == "audit of Module.apply: nothing found"
    key = jax.random.key(1)
    trained = audit(net.apply, params, X, train=True, rngs={"dropout": key})
    assert trained.findings == ()


# what the audit leaves behind -------------------------------------------------

counter = 0
history = [1.0]
stream = iter([1.0, 2.0])
LOG = io.StringIO("")


class Model:
    calls = 0

    def __init__(self):
        self.h = 0.0
        self.seen = []

    def step(self, x):
        self.h = self.h + x
        self.seen.append(x)
        Model.calls += 1
        self.fresh = True
        return self.h


def change_everything(x, params, model):
    global counter, appeared
    counter += 1
    appeared = x
    history.append(x)
    history.sort(key=str)
    LOG.write("x")
    params["w"] = x
    params.setdefault("new", x)
    model.step(x)
    change_everything.calls = counter
    print("printed")
    print("printed", file=sys.stderr)
    logging.getLogger("user").error("logged")
    random.random()
    np.random.normal()
    with open("never_written.txt", "w") as file:
        file.write("never")
    return x + next(stream)


def test_the_state_is_as_it_was(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, params = Model(), {"w": X}
    seen = model.seen
    states = random.getstate(), np.random.get_state()[1].tobytes()
    streams = sys.stdout, sys.stderr, builtins.open, io.open, logging.Logger.handle
    found = audit(change_everything, 1.0, params, model)

    kinds = {each.kind for each in found}
    assert {"mutation", "leaked tracer", "output", "randomness", "iterator"} <= kinds
    assert counter == 0
    assert "appeared" not in globals()
    assert history == [1.0]
    assert LOG.getvalue() == ""
    assert params == {"w": X}
    assert vars(model) == {"h": 0.0, "seen": seen}
    assert seen == []
    assert Model.calls == 0
    assert not hasattr(change_everything, "calls")
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == states
    assert next(iter([next(stream)])) == 1.0
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
    now = sys.stdout, sys.stderr, builtins.open, io.open, logging.Logger.handle
    assert all(a is b for a, b in zip(streams, now, strict=True))


def test_closures_and_slots_are_as_they_were():
    class Slotted:
        __slots__ = ("n",)

    total, slotted = 0, Slotted()

    def count(x):
        nonlocal total
        total += 1
        slotted.n = 1
        return x

    assert [each.kind for each in audit(count, X)] == ["mutation", "mutation"]
    assert total == 0
    assert not hasattr(slotted, "n")


def test_generators_and_files_are_not_used_up(tmp_path):
    items = (each for each in (1.0, 2.0))
    path = tmp_path / "data.txt"
    path.write_text("1\n2\n")
    with open(path) as file:
        assert audit(lambda x, it, f: x + next(it) + float(next(f)), X, items, file)
        assert file.tell() == 0
        assert list(items) == [1.0, 2.0]


def test_a_generator_of_the_users_goes_on_where_it_was():
    rng = np.random.default_rng(3)
    expected_draw = np.random.default_rng(3).normal()
    found = audit(lambda x, rng: x + rng.normal(), X, rng)
    assert [each.kind for each in found] == ["randomness"]
    assert rng.normal() == expected_draw


def test_the_caches_of_jit_are_neither_used_nor_filled():
    runs = []

    @jax.jit
    def helper(x):
        runs.append(0)
        return x * 2

    def step(x):
        return helper(x) + 1

    first = audit(step, X)
    assert [each.kind for each in first] == ["mutation"]
    assert runs == []
    jax.jit(step)(X)
    assert runs == [0]  # traced for the program, though the audit had traced it
    assert audit(step, X) == first
    jax.jit(lambda x: helper(x))(X)
    assert runs == [0]  # and what the program has traced is still there


def test_a_counted_function_counts_no_trace_of_the_audit():
    counted = traces(lambda x: x * 2)
    audit(counted, X)
    assert counted.count == 0


def test_other_threads_still_print(capsys):
    def prints_from_a_thread(x):
        thread = threading.Thread(target=print, args=("from a thread",))
        thread.start()
        thread.join()
        return x

    audit(prints_from_a_thread, X)
    assert set(capsys.readouterr().out.split("\n")) == {"from a thread", ""}


def test_nothing_is_run_on_the_data():
    spy = mock.Mock()  # an object of a library: no audit resets its count

    def look(x):
        spy(isinstance(x, jax.core.Tracer))
        return x * 2

    assert not audit(look, X)
    assert spy.call_args_list == [mock.call(True), mock.call(True)]


# callables of every sort --------------------------------------------------------


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


# what it says -------------------------------------------------------------------


def test_the_report_fits_in_80_columns():
    for function in FUNCTIONS:
        text = str(audit(function, *arguments(function)))
        assert max(map(len, text.split("\n"))) <= 80, text
        assert "\x1b" not in text


def test_a_finding_has_plain_fields_and_names_the_variable():
    (found,) = audit(impure.counts_its_calls, X)
    assert isinstance(found, Finding)
    assert found.kind == "mutation"
    assert found.file == impure.__file__
    assert found.what == "changes the global `counter`"
    assert found.consequence.startswith("Under jit this happens once per trace")
    assert "`counter`" in found.cure


def test_the_cure_of_an_assignment_can_be_copied():
    (found,) = audit(impure.assigns_an_item, X)
    assert found.cure == "`x = x.at[0].set(1.0)`"


def test_a_report_is_false_if_nothing_was_found():
    clean, dirty = audit(jnp.sin, X), audit(noisy, X)
    assert isinstance(clean, Audit)
    assert not clean
    assert dirty
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
    found = audit(impure.removes_a_file, X)
    assert "not traced" in found.untold[0]


def test_says_that_a_source_cannot_be_read():
    names = {}
    exec("def hidden(x): return x * 2", names)
    found = audit(names["hidden"], X)
    assert found.untold == ("the source of hidden cannot be read; it was traced.",)


def test_says_that_a_container_could_change():
    found = audit(impure.Recurrent().reads_a_fixed_attribute, X)
    assert not found
    assert "`self.size` is baked in" in found.untold[0]


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


def test_the_export_of_stdout_survives_an_error():
    def fails(x):
        raise ValueError

    before = sys.stdout
    with contextlib.suppress(ValueError):
        audit(fails, X)
    assert sys.stdout is before
