"""Source analysis: what the reader's code says, found without running it."""
