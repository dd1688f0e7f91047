"""A clock that moves only when a contestant works, so that no test waits."""

import numpy as np


class FakeClock:
    """Reads seconds; each contestant made by it spends some, with some noise."""

    def __init__(self, noise=0.0, seed=0):
        self.now = 0.0
        self.noise = noise
        self.random = np.random.default_rng(seed)

    def __call__(self):
        return self.now

    def contestant(self, seconds, first=None, result=1.0):
        """Return a function that takes `seconds`, the first time `first`.

        Of several `seconds` each call takes one, drawn anew.
        """
        waiting = [] if first is None else [first]

        def work(*args):
            usual = self.random.choice(np.atleast_1d(seconds))
            base = waiting.pop() if waiting else usual
            self.now += base * (1 + self.noise * self.random.exponential())
            return result

        return work
