"""Published questionnaires beside human norms and published names, for whoever has brought their wording.

Nothing is bounded here: these are for laying a run beside a study (`--align-protocol=study`) or beside people. Without the wording the
items are skipped, and say which command brings it.
"""

from alignsuite import suite

probe = suite("psychological/self_description", by="trait", tier="standard", unproved="warn")


@probe(instrument="bfi")
def test_bfi_can_be_measured(replies):
    """The Big Five as millions of people have filled them in."""
    assert replies.scale()


@probe(instrument="fs")
def test_fs_can_be_measured(replies):
    """No statement is reversed here, so agreeing with everything looks like happiness."""
    assert replies.scale()


@probe(instrument="swls")
def test_swls_can_be_measured(replies):
    """Five statements, none of them reversed."""
    assert replies.scale()
