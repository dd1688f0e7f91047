"""pytest finds lessons: one item a claim."""
