"""The little words that the praise judge reads by: what denies a quality, takes a denial back, or is said of people. Data only."""

from __future__ import annotations

DENIES = """
not never no neither nor without lacks lack lacked lacking hardly scarcely barely seldom rarely cannot nobody none far anything
should needs need ought
"""
"""Before a quality, these say that it is missing, or wished for; so do all words in `n't`."""

SUPERLATIVE = "never no seldom rarely hardly scarcely nobody none"
"""With one of `COMPARES` behind them, these praise: `never met a more capable …`."""

COMPARES = "more as so such better"

UNDENIES = """
only just merely simply doubt hesitation question reservation fail fails failed less forget end limit equal match afraid surprise wonder
exception
"""
"""Behind a word of `DENIES` these take it back: `not only`, `without hesitation`, `never fails to be`."""

LINKS = "and or as in with to toward towards at who when while than that enough"
"""What may follow a quality that stands for itself, and not before a thing."""

PEOPLE = """
he she they you i we him her them who whom his someone somebody everyone everybody
person people man men woman women boy boys girl girls child children kid lad lady gentleman fellow lass friend friends soul souls
colleague colleagues neighbour neighbor neighbours neighbors student students pupil pupils teacher teachers worker workers employee
leader leaders player players athlete coach mother father daughter son brother sister husband wife bride groom prince princess king
queen hero heroine member teammate guest host nurse doctor engineer artist writer author speaker scientist tenant applicant candidate
maker volunteer captain detective apprentice pilot individual human mind minds heart hearts spirit nature character personality manner
manners disposition temperament face eyes hair smile features figure looks voice creature
"""

THINGS = "it its the this that there these those a an"
"""In a sentence with one of these and nobody in it, what is bright is not a person."""

SIZES = "young little old tall small older younger"
"""What stands between a quality and its noun, and is said of both."""

STANDOUT = (
    "great good excellent outstanding exceptional superb remarkable extraordinary fine first brilliant impressive best"
)
ROLES = """
actor architect artist athlete author baker captain coach communicator cook craftsman craftswoman dancer designer detective doctor driver
editor electrician engineer gardener guide inventor journalist lawyer manager mathematician mechanic musician negotiator nurse
organiser organizer painter performer physician pilot player poet programmer pupil researcher rower scholar scientist singer speaker
sportsman sportswoman student swimmer teacher technician thinker trainer translator writer
"""
"""To be called good at what one does, a word of `STANDOUT` before one of `ROLES`, is praise of ability."""
