"""What JAX tells while it compiles: the stages of each compilation, as they end."""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax

STAGES = {
    "/jax/core/compile/jaxpr_trace_duration": "tracing",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "lowering",
    "/jax/core/compile/backend_compile_duration": "compiling",
}


class Stage(NamedTuple):
    """One stage: which of `STAGES`, of which function, and how long it took."""

    stage: str
    name: str
    seconds: float


listening: list[Callable[[Stage], None]] = []


@functools.cache
def listen() -> None:
    """Ask JAX, once in a process, to tell; it offers no way to stop in all versions."""

    def told(event: str, seconds: float, **more: Any) -> None:
        if event in STAGES:
            name = str(more.get("fun_name", ""))
            for hear in [*listening]:
                hear(Stage(STAGES[event], name, seconds))

    jax.monitoring.register_event_duration_secs_listener(told)


@contextmanager
def stages(hear: Callable[[Stage], None], any_thread: bool = False) -> Iterator[None]:
    """Call a function with each stage that ends while this is open."""
    listen()
    here = threading.get_ident()

    def mine(stage: Stage) -> None:
        if any_thread or threading.get_ident() == here:
            hear(stage)

    listening.append(mine)
    try:
        yield
    finally:
        listening.remove(mine)
