"""Where the lessons run: which JAX, on which device, under which settings."""

import os
import platform as machine
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import jaxintro
from jaxintro._engine.catalog import LackingError

# What a lesson may lean on: JAX's own defaults for all that changes numbers, traces or
# errors. A setting that this JAX does not have is passed over.
DEFAULTS: dict[str, object] = {
    "jax_check_tracer_leaks": False,
    "jax_debug_infs": False,
    "jax_debug_key_reuse": False,
    "jax_debug_nans": False,
    "jax_default_device": None,
    "jax_default_matmul_precision": None,
    "jax_default_prng_impl": "threefry2x32",
    "jax_disable_jit": False,
    "jax_enable_checks": False,
    "jax_enable_custom_prng": False,
    "jax_enable_x64": False,
    "jax_explain_cache_misses": False,
    "jax_legacy_prng_key": "allow",
    "jax_log_compiles": False,
    "jax_no_tracing": False,
    "jax_numpy_dtype_promotion": "standard",
    "jax_numpy_rank_promotion": "allow",
    "jax_random_seed_offset": 0,
    "jax_threefry_partitionable": True,
    "jax_traceback_filtering": "auto",
    "jax_transfer_guard": None,
    "jax_transfer_guard_device_to_device": None,
    "jax_transfer_guard_device_to_host": None,
    "jax_transfer_guard_host_to_device": None,
}

# On a terminal and in a notebook JAX colours the text of a jaxpr with escape codes that
# no check expects. This is nobody's setting, so it is not told.
PLAIN: dict[str, object] = {"jax_pprint_use_color": False}


def choose(platform: str | None) -> None:
    """Let JAX run on this platform; call it before anything has run.

    Raises:
        LackingError: this machine has no such device, or no JAX at all.
    """
    if platform is not None:
        # What was asked for now wins. To name the CPU leaves a GPU's memory alone; a
        # GPU or a TPU is JAX's own first choice wherever there is one.
        os.environ["JAX_PLATFORMS"] = "cpu" if platform == "cpu" else ""
    jax = _import_jax()
    if platform is not None:
        jax.config.update("jax_platforms", os.environ["JAX_PLATFORMS"] or None)
    try:
        found = jax.default_backend()
    except (RuntimeError, AssertionError) as error:
        asked = os.environ.get("JAX_PLATFORMS")
        why = " ".join(str(error).split()) or f"JAX has no platform '{asked}'."
        raise LackingError(why) from error
    if platform not in (None, found):
        raise LackingError(
            f"No {platform} here: JAX {jax.__version__} finds {found} only. Leave out "
            f"--platform, or install JAX for {platform}."
        )


def _import_jax() -> Any:
    try:
        import jax
    except Exception as error:
        raise LackingError(f"JAX cannot be imported: {error}.") from error
    if not hasattr(jax, "__version__"):
        raise LackingError(f"'{jax.__file__}' stands in the way of JAX: rename it.")
    return jax


def set_aside() -> dict[str, object]:
    """The settings of this process that are not JAX's defaults, with their values."""
    values = _values(DEFAULTS)
    return {name: value for name, value in values.items() if value != DEFAULTS[name]}


@contextmanager
def pinned(*, as_is: bool = False) -> Iterator[None]:
    """Run a block under JAX's default settings, and put back whatever it changes.

    They are taken out of the environment too, for a process that a demo starts.
    """
    before = _values(DEFAULTS | PLAIN)
    given = {name.upper() for name in ({} if as_is else DEFAULTS)} & os.environ.keys()
    outside = {name: os.environ.pop(name) for name in given}
    try:
        _set(PLAIN if as_is else DEFAULTS | PLAIN)
        yield
    finally:
        _set(before)
        os.environ.update(outside)


@contextmanager
def kept() -> Iterator[None]:
    """Run a block, and put back every setting of JAX's that it changes."""
    import jax

    before = _values(list(jax.config.values))
    try:
        yield
    finally:
        _set(before)


def current() -> dict[str, object]:
    """What a lesson leans on, as it is set now; devices are no other process's."""
    values = _values(DEFAULTS | PLAIN)
    values.pop("jax_default_device", None)
    return values


def take_over(values: dict[str, object]) -> None:
    """Set what `current` gave in another process."""
    _set(values)


def devices() -> int:
    """How many devices JAX has here; from then on they are settled."""
    import jax

    return jax.local_device_count()


def _values(names: Iterable[str]) -> dict[str, object]:
    import jax

    known = [n for n in names if n in jax.config.values and hasattr(jax.config, n)]
    return {name: getattr(jax.config, name) for name in known}


def _set(wanted: dict[str, object]) -> None:
    import jax

    update: Callable[[str, object], None] = jax.config.update
    for name, value in _values(wanted).items():
        if value != wanted[name]:
            update(name, wanted[name])


def about() -> dict[str, object]:
    """Versions and devices, plain enough for JSON."""
    import jax
    import numpy

    return {
        "jaxintro": jaxintro.__version__,
        "jax": jax.__version__,
        "numpy": numpy.__version__,
        "python": machine.python_version(),
        "platform": jax.default_backend(),
        "devices": [str(device) for device in jax.devices()],
    }
