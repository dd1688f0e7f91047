"""The machinery that finds, reads, runs and shows lessons. Lessons never import it."""
