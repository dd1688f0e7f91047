"""Whatever can be called can be followed, and the report says where it cannot show."""

import functools
import linecache
import sys
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from followed import beside, compared, event, same

from jaxintro.lens import follow


def double(x):
    y = 2 * x
    return y


class Doubler:
    """Callable in all the ways of a class."""

    def __init__(self, factor=2.0):
        self.factor = factor

    def method(self, x):
        return self.factor * x

    @classmethod
    def made(cls, x):
        return cls().factor * x

    @staticmethod
    def static(x):
        return 2.0 * x

    @functools.partial(jax.jit, static_argnums=0)
    def jitted(self, x):
        return self.factor * x

    __call__ = method


def wrapping(function):
    @functools.wraps(function)
    def wrapper(*args):
        event("wrapped")
        return function(*args)

    return wrapper


def hiding(function):
    def hidden(*args):
        event("hidden")
        return function(*args)

    return hidden


def with_rule(function):
    function.defjvp(lambda primals, tangents: (2 * primals[0], 2 * tangents[0]))
    return function


def with_rules(function):
    function.defvjp(lambda x: (2 * x, None), lambda _, g: (2 * g,))
    return function


WAYS = {
    "function": (double, "y = 2 * x", "6.0"),
    "partial": (functools.partial(double, 3.0), "y = 2 * x", "6.0"),
    "decorated with wraps": (wrapping(double), "y = 2 * x", "6.0"),
    "decorated without": (hiding(double), "return function(*args)", "6.0"),
    "bound method": (Doubler().method, "return self.factor * x", "6.0"),
    "class method": (Doubler.made, "return cls().factor * x", "6.0"),
    "static method": (Doubler.static, "return 2.0 * x", "6.0"),
    "callable object": (Doubler(), "return self.factor * x", "6.0"),
    "class": (Doubler, "self.factor = factor", "3.0"),
    "cached": (functools.lru_cache(lambda x: double(x)), None, ""),
    "jit": (jax.jit(double), "y = 2 * x", "a tracer, float32[]"),
    "jit of partial": (jax.jit(functools.partial(double)), "y = 2 * x", "a tracer, f"),
    "grad": (jax.grad(double), "y = 2 * x", "a tracer, float32[]"),
    "value_and_grad": (jax.value_and_grad(double), "y = 2 * x", "a tracer, float32[]"),
    "jit of grad": (jax.jit(jax.grad(double)), "y = 2 * x", "a tracer, float32[]"),
    "checkpoint": (jax.checkpoint(double), "y = 2 * x", "a tracer, float32[]"),
    "jitted method": (
        Doubler().jitted,
        "return self.factor * x",
        "a tracer, float32[]",
    ),
    "custom_jvp": (with_rule(jax.custom_jvp(double)), "y = 2 * x", "6.0"),
    "custom_vjp": (with_rules(jax.custom_vjp(double)), "y = 2 * x", "6.0"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_callable_shows_the_function_inside(way):
    function, code, words = WAYS[way]
    arguments = () if way == "partial" else (3.0,)
    jax.clear_caches()
    report = follow(function, *arguments)
    assert report.error is None
    if code:
        assert beside(report)[code].startswith(words)
    jax.clear_caches()
    assert same(report.result, function(*arguments))


def test_vmap():
    report = compared(jax.vmap(double), np.ones(3, np.float32))
    assert beside(report)["def double(x):"] == "x: tracer float32[], ran once"


def test_what_was_compiled_before_did_not_run():
    function = jax.jit(lambda x: double(x))
    compiled = jax.jit(double_again)
    compiled(1.0)
    report = follow(compiled, 2.0)
    assert report.result == 4
    assert beside(report) == {
        "def double_again(x):": "did not run: it was compiled before"
    }
    assert str(report.result) == "4.0"
    assert follow(function, 2.0).result == 4


def double_again(x):
    return 2 * x


def test_what_a_cache_holds_did_not_run():
    cached = functools.cache(double)
    cached(1.0)
    report = follow(cached, 1.0)
    assert report.note == "its lines did not run in this call."
    assert report.result == 2
    assert "note" not in beside(report)


def test_jit_counts_traces_as_ever():
    traces = []

    @jax.jit
    def function(x):
        traces.append(x)
        return x + 1

    follow(function, 1.0)
    follow(function, 2.0)
    function(3.0)
    assert len(traces) == 1


BUILT_IN = [np.sin, max, np.add, dict, "a b".split, functools.partial(max, 1), object]


@pytest.mark.parametrize("function", BUILT_IN, ids=lambda each: type(each).__name__)
def test_functions_that_are_not_python(function):
    arguments = [2.0] if function is np.sin else [[1], [2]]
    arguments = {dict: [[("a", 1)]], object: []}.get(function, arguments)
    if getattr(function, "__name__", "") == "split":
        arguments = []
    if isinstance(function, functools.partial):
        arguments = [2]
    report = follow(function, *arguments)
    assert same(report.result, function(*arguments))
    assert "no lines to show" in str(report)


def test_code_that_has_no_file(monkeypatch):
    # from Python 3.13 on, this is also the name of the program of `python -c`
    monkeypatch.delitem(linecache.cache, "<string>", raising=False)
    namespace = {}
    exec("def made(x):\n    return x + 1", namespace)
    report = compared(namespace["made"], 1)
    assert "its lines cannot be shown: there is no source of <string>" in str(report)
    assert "2" in str(report).splitlines()


def test_code_of_a_notebook_cell():
    source = "def made(x):\n    y = x + 1\n    return y\n"
    name = "/tmp/ipykernel_1/123.py"
    linecache.cache[name] = len(source), None, source.splitlines(True), name
    namespace = {}
    exec(compile(source, name, "exec"), namespace)
    assert beside(compared(namespace["made"], 1)) == {"y = x + 1": "2", "return y": "2"}


def write(tmp_path, monkeypatch, name, source):
    path = tmp_path / f"{name}.py"
    path.write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return path


def test_future_annotations(tmp_path, monkeypatch):
    source = (
        "from __future__ import annotations\n"
        "def f(x: Missing):\n"
        "    def g(y: Missing2) -> Missing3:\n"
        "        return y\n"
        "    return g.__annotations__\n"
    )
    write(tmp_path, monkeypatch, "annotated_later", source)
    import annotated_later

    report = compared(annotated_later.f, 1)
    assert report.result == {"y": "Missing2", "return": "Missing3"}


def test_a_file_that_has_changed_is_not_run_in_its_new_form(tmp_path, monkeypatch):
    path = write(tmp_path, monkeypatch, "changing", "def f(x):\n    return x + 1\n")
    import changing

    path.write_text("def f(x):\n    return x + 1000\n")
    report = compared(changing.f, 1)
    assert report.result == 2
    assert "the file is not what it was" in report.note


def test_a_function_that_has_run_is_known_again(tmp_path, monkeypatch):
    source = "import math\n\ndef f(x):\n    y = math.floor(x)\n    return y\n"
    write(tmp_path, monkeypatch, "warmed", source)
    import warmed

    for _ in range(100):
        warmed.f(2.5)
    assert beside(compared(warmed.f, 2.5))["return y"] == "2"


def test_a_file_of_another_kind_of_lines(tmp_path, monkeypatch):
    source = "# page\n\x0c\ndef f(x):\r\n\tif x:\r\n\t\ty = '\u2028'\r\n\treturn y\r\n"
    (tmp_path / "feed.py").write_bytes(source.encode())
    monkeypatch.syspath_prepend(tmp_path)
    import feed

    report = compared(feed.f, True)
    assert beside(report)["return y"] == repr("\u2028")
    assert "\t" not in str(report)


def test_async_is_left_alone():
    async def function():
        return 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = follow(function)
        report.result.close()
    assert "an async function is left alone" in report.note


def test_a_generator_function_has_not_run_yet():
    def numbers():
        yield 1

    report = follow(numbers)
    assert list(report.result) == [1]
    assert report.note == "its lines did not run in this call."


def test_a_closure_that_a_followed_function_made_can_be_followed():
    def make(n):
        def add(x):
            return x + n

        return add

    add = follow(make, 2).result
    assert beside(follow(add, 3)) == {"return x + n": "5"}
    assert add(4) == 6


def test_a_lambda():
    report = compared(lambda x: x + 1, 2)
    assert list(beside(report).values()) == ["3"]


def test_callables_that_are_hard_to_look_at():
    class Proud:
        """It answers every question."""

        def __getattr__(self, name):
            raise RuntimeError(name)

        @property
        def __class__(self):
            raise RuntimeError("class")

        def __call__(self, x):
            return x + 1

    report = follow(Proud(), 1)
    assert beside(report) == {"return x + 1": "2"}


def test_what_cannot_be_called():
    with pytest.raises(TypeError, match="follow needs a function, not 3"):
        follow(3)


def test_a_wrong_call_is_an_error_of_the_report():
    report = follow(double)
    assert isinstance(report.error, TypeError)
    assert "missing 1 required positional argument" in str(report.error)


def test_the_pages_of_a_notebook():
    report = follow(jax.jit(double_again), jnp.ones(5, jnp.float16))
    page = report._repr_html_()
    assert "<table" in page
    assert "a tracer, float16[5]" in page
    assert "<script" not in follow(lambda: "<script>")._repr_html_()
    assert "&lt;script&gt;" in follow(lambda: "<script>")._repr_html_()
    assert follow(np.sin, 0.0)._repr_html_().startswith("<pre>sin: not written")
