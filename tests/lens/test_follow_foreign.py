"""What another compiler reads is left as it was written, and all else reports."""

import importlib
import sys
import types

import numpy as np
import pytest

from jaxintro.lens import follow


@pytest.fixture
def given(monkeypatch):
    """The code objects that the other compilers were given."""
    seen = []

    def read(function=None, **options):
        if function is None:
            return read
        seen.append(function.__code__)
        return function

    numba = types.SimpleNamespace(njit=read)
    torch = types.SimpleNamespace(compile=read, sin=np.sin, Tensor=type("T", (), {}))
    monkeypatch.setitem(sys.modules, "numba", numba)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.delitem(sys.modules, "foreign_compilers", raising=False)
    yield importlib.import_module("foreign_compilers"), seen
    del sys.modules["foreign_compilers"]


def beside(report):
    return {row.code.strip(): row.pieces for row in report.rows if row.pieces}


def is_as_written(code):
    return not any(type(c).__name__ == "Recorder" for c in code.co_consts)


@pytest.mark.parametrize(
    "name",
    ["decorated", "with_options", "by_name", "calls_the_top", "calls_a_method"],
)
def test_another_compiler_finds_the_code_as_written(given, name):
    module, seen = given
    report = follow(getattr(module, name), 3.0)
    assert report.error is None
    assert seen
    assert all(map(is_as_written, seen))


def test_the_lines_around_it_report(given):
    module, _ = given
    shown = beside(follow(module.decorated, 3.0))
    assert list(shown) == ["z = double(x)", "return z"]


def test_what_it_calls_is_left_alone_too_and_its_neighbour_is_not(given):
    module, _ = given
    shown = beside(follow(module.by_name, 3.0))
    assert "return inner(y) - 1 + y" not in shown
    assert "return y + 1" not in shown
    assert "w = 3 * y" in shown
    assert {"fast = torch.compile(double)", "a = fast(x)"} <= set(shown)


def test_a_function_of_the_same_name_elsewhere_reports(given):
    module, _ = given
    assert "w = 2 * y" in beside(follow(module.same_name_elsewhere, 3.0))


def test_numba_compiles_what_is_followed():
    pytest.importorskip("numba")
    from numba import njit

    def squares(n):
        @njit
        def square(y):
            return y * y

        total = square(n) + square(n + 1)
        return total

    report = follow(squares, 3)
    assert report.error is None
    assert report.result == 25


def test_torch_compiles_what_is_followed():
    pytest.importorskip("torch")
    import torch

    def twice(n):
        def double(y):
            return 2 * y

        fast = torch.compile(double, backend="eager", fullgraph=True)
        z = fast(torch.ones(n))
        return z

    report = follow(twice, 3)
    assert report.error is None
    assert "[2. 2. 2.]  torch.float32[3]" in str(report)


def test_taichi_compiles_what_is_followed():
    ti = pytest.importorskip("taichi")
    ti.init(arch=ti.cpu, offline_cache=False)

    def doubled(n):
        x = np.ones(n, np.float32)

        @ti.kernel
        def double(y: ti.types.ndarray()):
            for i in y:
                y[i] = 2 * y[i]

        double(x)
        return x

    report = follow(doubled, 3)
    assert report.error is None
    np.testing.assert_array_equal(report.result, 2.0)


def test_tensors_are_told_as_arrays_are():
    torch = pytest.importorskip("torch")

    def some():
        a = torch.arange(3.0)
        b = torch.ones((), dtype=torch.bfloat16, requires_grad=True)
        c = torch.ones(2, 2).to_sparse()
        return a, b, c

    shown = str(follow(some))
    assert "[0. 1. 2.]  torch.float32[3]" in shown
    assert "1.0  torch.bfloat16[] requires grad" in shown
    assert "indices=tensor" in shown  # as PyTorch tells it


def test_what_stands_for_a_tensor_says_so():
    torch = pytest.importorskip("torch")

    def slope(x):
        def double(y):
            z = 2 * y
            return z

        return torch.func.vmap(double)(x)

    shown = str(follow(slope, torch.ones(3)))
    assert "stands for a tensor, torch.float32[]" in shown
