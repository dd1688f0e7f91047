"""Where the lessons run: which JAX, on which device."""

import os
import platform as machine

import jaxintro
from jaxintro._engine.catalog import LackingError


def choose(platform: str | None) -> None:
    """Let JAX run on this platform; call it before anything has run.

    Raises:
        LackingError: this machine has no such device, or no JAX at all.
    """
    if platform is not None:
        os.environ.pop("JAX_PLATFORMS", None)  # what was asked for now wins
    try:
        import jax
    except ImportError as error:
        raise LackingError(f"JAX cannot be imported: {error}.") from error
    if platform is None:
        return
    if platform == "cpu":
        os.environ["JAX_PLATFORMS"] = "cpu"  # leaves a GPU's memory alone
    if jax.default_backend() != platform:
        raise LackingError(
            f"No {platform} here: JAX {jax.__version__} finds {jax.default_backend()} "
            f"only. Leave out --platform, or install JAX for {platform}."
        )


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
