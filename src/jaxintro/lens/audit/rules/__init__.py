"""The rules: each from what source or trace show to diagnostics."""
