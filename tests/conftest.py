"""Every test runs under JAX's strictest rules, whatever a reader's settings may be."""

import os

os.environ["MPLBACKEND"] = "Agg"

import jax

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
