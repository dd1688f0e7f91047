"""What `jaxintro.lens.purity` is made of."""
