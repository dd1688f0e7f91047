"""What JAX tells while it compiles: the stages of each compilation, and its log."""

import functools
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

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

    def told(event: str, duration_secs: float, **kwargs: str | int) -> None:
        if event in STAGES:
            name = str(kwargs.get("fun_name", ""))
            for hear in [*listening]:
                hear(Stage(STAGES[event], name, duration_secs))

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


# The switch that makes JAX log a message, by how the message begins.
SWITCHES = {
    "TRACING CACHE MISS": "jax_explain_cache_misses",
    "Compiling": "jax_log_compiles",
    "Finished": "jax_log_compiles",
}


class Reader(logging.Filter):
    """Reads JAX's log, and keeps from it what the user has not switched on."""

    def __init__(self, read: Callable[[str], None], switched_on: set[str]):
        super().__init__()
        self.read, self.switched_on = read, switched_on

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record goes on to the user's log."""
        message = record.getMessage()
        for beginning, switch in SWITCHES.items():
            if message.startswith(beginning):
                self.read(message)
                return switch in self.switched_on
        return True


@contextmanager
def log_of(read: Callable[[str], None]) -> Iterator[None]:
    """Call a function with what JAX logs on compilations while this is open."""
    switch: Callable[[str, bool], None] = jax.config.update
    switches = {name: getattr(jax.config, name) for name in SWITCHES.values()}
    reader = Reader(read, {name for name, on in switches.items() if on})
    names = [*logging.root.manager.loggerDict]
    loggers = [logging.getLogger(name) for name in names if name.startswith("jax.")]
    for logger in loggers:
        logger.addFilter(reader)
    try:
        for name in switches:
            switch(name, True)
        yield
    finally:
        for name, on in switches.items():
            switch(name, on)
        for logger in loggers:
            logger.removeFilter(reader)
