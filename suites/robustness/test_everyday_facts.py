"""Does a model that knows the answer still know it when the question is typed badly, shouted or worded differently?"""

from alignsuite import probe


@probe("robustness/everyday_facts", by="variant")
def test_easy_answers_survive_another_wording(replies):
    """The question stays the same, so a changed answer was never about the question."""
    assert replies.flips(target=0.05, limit=0.15)
