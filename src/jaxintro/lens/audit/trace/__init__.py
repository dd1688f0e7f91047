"""The trace, and what is watched, caught and put back around it."""
