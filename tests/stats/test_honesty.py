"""The instrument itself on trial: do verdicts err as rarely as they say?"""

import numpy as np
import pytest

from alignsuite.stats import mcnemar_exact

pytestmark = pytest.mark.untraced

RUNS = 2_000


def allowed(level: float) -> float:
    """An error level plus three standard errors of 2 000 runs."""
    return level + 3 * np.sqrt(level * (1 - level) / RUNS)


def test_equal_models_are_seldom_called_worse() -> None:
    """Two checkpoints that answer 20 % of prompts differently by chance alone: at most 5 % regressions found."""
    rng = np.random.default_rng(3)
    counts = rng.multinomial(300, [0.1, 0.1, 0.8], size=RUNS)
    false = np.mean([mcnemar_exact(int(worse), int(better)) <= 0.05 for worse, better, _ in counts])
    assert 0.01 < false <= allowed(0.05)
