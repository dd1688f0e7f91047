"""Kernels are counted in compiled text as one would by hand."""

import pytest

from jaxintro.lens.explain import hlo

FUSED = """HloModule jit_f, entry_computation_layout={(f32[8]{0})->f32[8]{0}}

%fused (p: f32[8]) -> f32[8] {
  %p = f32[8]{0} parameter(0)
  %sin = f32[8]{0} sine(%p), metadata={op_name="jit(f)/sin"}
  ROOT %exp = f32[8]{0} exponential(%sin), metadata={op_name="jit(f)/exp"}
}
"""


def module(*lines, before=""):
    """A module whose entry computation has these lines."""
    body = "\n".join(f"  {line}" for line in lines)
    return f"{FUSED}{before}\nENTRY %main (x: f32[8]) -> f32[8] {{\n{body}\n}}\n"


FREE = (
    "%x = f32[8]{0} parameter(0)",
    "%c = f32[] constant(2)",
    "%b = f32[2,4]{1,0} bitcast(%x)",
    "%t = (f32[8]{0}, /*index=1*/f32[]) tuple(%x, %c)",
    "ROOT %g = f32[8]{0} get-tuple-element(%t), index=0",
)
FUSION = "%k = f32[8]{0} fusion(%x), kind=kLoop, calls=%fused"


def test_what_does_no_work_is_no_kernel():
    assert hlo.kernels(module(*FREE)) == ()


@pytest.mark.parametrize(
    "line",
    [
        FUSION,
        "%d = f32[8]{0:T(256)} copy(%x)",
        "%r = (f32[], s32[]) reduce(%x, %c), dimensions={0}, to_apply=%fused",
        '%g = (f32[8], s8[64]) custom-call(%x), custom_call_target="__cublas$gemm"',
        "%a = f32[8]{0} all-reduce-start(%x), to_apply=%fused",
        "d = f32[8]{0} dot(x, x), lhs_contracting_dims={0}",
    ],
    ids=["fusion", "copy", "reduce", "library call", "collective", "no percent sign"],
)
def test_what_does_work_is_one_kernel(line):
    assert len(hlo.kernels(module(*FREE, line))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "%d = f32[8]{0} all-reduce-done(%a)",
        '%p = () custom-call(%x), custom_call_target="xla_ffi_python_gpu_callback"',
    ],
    ids=["waiting", "python"],
)
def test_waiting_and_calling_python_are_no_kernels(line):
    assert hlo.kernels(module(*FREE, line)) == ()


INNER = f"""
%inner (p: f32[8]) -> f32[8] {{
  %x = f32[8]{{0}} parameter(0)
  {FUSION}
  ROOT %s = f32[8]{{0}} sort(%k), dimensions={{0}}, to_apply=%fused
}}

%other (p: f32[8]) -> f32[8] {{
  ROOT %x = f32[8]{{0}} parameter(0)
  {FUSION}
}}
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%w = f32[8]{0} while(%x), condition=%other, body=%inner", 3),
        ("%c = f32[8]{0} call(%x), to_apply=%inner", 2),
        ("%b = f32[8]{0} conditional(%x), branch_computations={%inner, %other}", 3),
        ("%a = ((f32[8]), f32[8]) async-start(%x), calls=%inner", 2),
    ],
    ids=["loop", "call", "branches", "asynchronous"],
)
def test_what_runs_other_computations_is_counted_through(line, expected):
    assert len(hlo.kernels(module(*FREE, line, before=INNER))) == expected


def test_a_kernel_names_what_was_fused_into_it():
    (kernel,) = hlo.kernels(module(*FREE, FUSION))
    assert (kernel.name, kernel.operations) == ("k", ("sin", "exp"))


@pytest.mark.parametrize("text", [None, "", "module @jit_f {\n}\n"])
def test_what_is_not_hlo_is_not_guessed_at(text):
    assert hlo.kernels(text) is None
