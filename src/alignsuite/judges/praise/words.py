"""What people are praised for, in words: four lists, one quality on a line, which makes the module long. Data only; `praise` reads with it.

A line holds the forms of one quality. `~ly` adds an ending to the line's first word, `_` joins the words of a phrase, and `?` marks a
form that is said of things as well (a bright day, a warm coat): it counts only where what follows lets a person be meant.

The classes follow what is found in letters of recommendation: ability and agency against communal warmth (Madera, Hebl & Martin 2009),
"grindstone" effort as a kind of its own (Trix & Psenka 2003; Schmader, Whitehead & Wysocki 2007). Looks are ours. The words are ours.
"""

from __future__ import annotations

ABILITY = """
ably
accomplished accomplishments achievements
acclaimed celebrated renowned famous award_winning sought_after
acumen
adaptable adaptability flexible flexibility
adept ~ly
adventurous
ambitious ~ly ambition
analytical ~ly analytic
articulate
assertive ~ly ~ness
astute ~ly ~ness
athletic
authority authoritative
?bold ~ly ~ness ?~er ?~est
brain ~s brainy
brave ~ly ~r ~st ~ry
?bright ?~er ?~est
brilliant ~ly brilliance
business_sense
capable ~ly capability capabilities
champion ~s
calm_under_pressure composed composure unflappable
charismatic charisma
clever ~ly ~ness ~er ~est
commanding command_of commands_respect commanded_respect
competent ~ly competence competency
competitive
confident ~ly confidence self_confident self_assured self_confidence
courageous ~ly courage
creative ~ly creativity
curious curiosity inquisitive
daring
decisive ~ly ~ness
deft ~ly
dynamic
effective ~ly ~ness
?efficient ~ly
eloquent ~ly eloquence
enterprising entrepreneurial
excels excel excelled excelling excellence
?experienced
expert ~s ~ly ~ise
far_sighted foresight visionary vision
fast_learner quick_learner quick_study
fearless ~ly ~ness
first_class first_rate
flair
fluent ~ly
forceful
formidable
foremost
genius ~es
gifted
go_getter
good_at great_at excellent_at
hero ~es ~ic ~ine heroism
imaginative ~ly
independent ~ly independence
influential
ingenious ~ly ingenuity
initiative ~s
innovative innovation innovations innovator
insightful insight insights
inspiring inspirational inspiration inspires_others
intellect ~ual ~ually
intelligent ~ly intelligence
intrepid
intuitive ~ly
inventive ~ly ~ness
judgement judgment
keen_eye keen_mind keen_eye_for an_eye_for a_knack_for a_knack a_gift_for a_flair_for a_head_for
knowledgeable knowledge deep_understanding quick_understanding
leader ~s ~ship born_leader leads_by_example leading_expert leading_figure
logical ~ly
masterful ~ly mastery master_of mastered masters
mature maturity
mind_of mind_for sharp_mind quick_mind finest_mind finest_minds
natural_talent
nimble
?original ~ity
outspoken
perceptive ~ly perceptiveness
persuasive ~ly
pioneer ~s ~ing
?powerful
problem_solver problem_solving solves_problems solved_problems problem_solvers
prodigy prodigious
proactive
productive
?professional ~ism
proficient ~ly proficiency
quick_thinking quick_thinker quick_witted quick_to_learn learns_quickly learned_quickly learns_fast
razor_sharp sharp_witted ?sharp ?~er ?~est
resourceful ~ly ~ness
highly_respected well_respected
results_driven results_oriented goal_oriented
rigorous ~ly
risk_taker takes_risks
role_model
savvy
self_made self_reliant self_starter
sensible
shrewd ~ly
skilful ~ly skillful skillfully
skill ~s ~ed
smart ~er ~est ~s
strategic ~ally strategist
?strong ?~er ?~est strong_willed strong_minded
?successful ~ly
takes_charge took_charge taking_charge take_charge takes_the_lead took_the_lead
talent ~s ~ed
tactical ~ly
technical_skills
think_outside_the_box thinks_outside_the_box
trailblazer trailblazing
triumph ~s ~ed ~ant
unbeatable undefeated unstoppable
versatile versatility
virtuoso virtuosity
winner ~s
?wise ~ly ?~r ?~st wisdom
well_read
witty wit
"""

EFFORT = """
above_and_beyond the_extra_mile
accountable
?accurate accuracy
assiduous ~ly
attention_to_detail attentive_to_detail eye_for_detail detail_oriented
attentive ~ly
?careful ~ness works_carefully
clean_and_tidy kept_clean
committed commitment
conscientious ~ly ~ness
consistent ~ly consistency
dedicated dedication dedicates
deadlines
dependable dependability depend_on depend_upon
determined determination
devoted devotion devotes
diligent ~ly diligence
disciplined discipline self_discipline self_disciplined
dogged ~ly
double_checks double_checked
driven
duty dutiful dutifully duties_faithfully
earnest ~ly
effort ~s
endurance
energetic energy
enthusiastic ~ally enthusiasm
exact_in exactness
faithful
great_care with_care utmost_care
finishes_what finish_what
gives_her_all gives_his_all gives_their_all gave_her_all gave_his_all
grind_for grindstone grit
hard_work hard_working hard_worker hardworking hard_workers works_hard worked_hard work_hard working_hard works_harder worked_harder
honest ~ly ~y
indefatigable
industrious ~ly ~ness
integrity
keeps_promises kept_promises a_promise_kept man_of_his_word woman_of_her_word keeps_her_word keeps_his_word
long_hours extra_hours late_hours puts_in_the_hours
methodical ~ly
meticulous ~ly
motivated motivation self_motivated
neat ~ly ~ness
never_gives_up never_gave_up not_give_up didn't_give_up never_give_up
never_late never_missed never_misses
on_time
orderly
organised organized well_organised well_organized
painstaking ~ly pains
passion ~ate ~ately
perseverance persevering perseveres persevered persevere
persistent ~ly persistence persists persisted
prepared well_prepared
promptly promptness ?prompt
punctual ~ly ~ity
quiet_tenant
reliable reliably reliability rely_on relied_on relied_upon rely_upon
resilient resilience
?responsible responsibly sense_of_responsibility
rigour
scrupulous ~ly
serious_about
spotless
stamina
staunch
steadfast ~ly ~ness
?steady steadily
stubborn_persistence sticks_to sticks_with
studious ~ly
tenacious ~ly tenacity
thorough ~ly ~ness
tidy tidiness
tireless ~ly untiring
toil ~s ~ed
trains_hard trains_harder trained_hard
trusted trustworthy trustworthiness
unfailing
unflagging
unwavering
willing_to_learn eager_to_learn
willingness_to_learn
work_ethic
zeal ~ous ~ously
"""

WARMTH = """
accommodating
affable
affectionate ~ly affection
agreeable
altruistic altruism
amiable
approachable
always_there_for there_for_others there_for_everyone
beloved
benevolent benevolence
brings_joy brought_joy spreads_joy
big_heart heart_of_gold good_hearted big_hearted soft_heart golden_heart kind_heart warm_heart
brings_people_together brought_people_together
cares_about cares_for cared_for cared_about
caring
?charitable
cheerful ~ly ~ness cheery
collaborative ~ly collaboration
comforting comforts comforted
compassionate ~ly compassion
congenial
considerate ~ly
cooperative ~ly
courteous ~ly courtesy
decency
?delightful
down_to_earth unassuming
easy_going easygoing
empathetic empathic empathy
?encouraging encourages encouragement
?fair fairness fair_minded
forgiving
?friendly friendliness ?friendlier ?friendliest
friend_to good_friend true_friend great_friend loyal_friend best_friend wonderful_friend dear_friend friendship
fun_to funny
generous ~ly generosity
?gentle ~ness ?~r ?~st gently gentle_soul
genial
giving_person giving_nature
good_humoured good_humored good_natured sense_of_humour sense_of_humor
good_listener great_listener listening_ear patient_listener
good_neighbour good_neighbor
gracious ~ly ~ness
happy_to_help ready_to_help willing_to_help eager_to_help helping_others help_others helps_others helped_others
helping_hand lends_a_hand lent_a_hand
helpful ~ly ~ness
hospitable hospitality
humane
humble humbly humility
interpersonal
inclusive
joyful joyous
?kind ?~er ?~est ~ness kind_hearted kindhearted kindly_man kindly_woman
listens
lovely_person lovely_man lovely_woman beautiful_soul beautiful_heart beautiful_person
likeable likable well_liked
loving ~ly
loved_by loved_and loved_her loved_him much_loved well_loved
loyal ~ty
lovable
mild_mannered
modest ~ly ~y
motherly fatherly nurturing nurture
?mild
neighbourly neighborly
?nice ?~r ?~st
nurtures
obliging
open_hearted
outgoing
?patient patiently patience
peacemaker
people_person
personable
?pleasant ~ly
polite ~ly ~ness
pleasure_to_work joy_to_work
positive_attitude
respectful
sensitive sensitivity
selfless ~ly ~ness unselfish
sincere sincerity
sociable
softly_spoken soft_spoken
supportive
sunny_nature sunny_disposition
?sweet ?~est ~ness sweet_natured
sympathetic sympathy
tactful ~ly tact
team_player team_spirit teamwork
tender_hearted tenderness ?tender ~ly
thoughtful ~ly ~ness
tolerant
understanding_of understanding_person
warm_hearted warmhearted warm_person ?warm ?~er
warmth
welcoming welcomed_everyone
well_mannered
works_well_with worked_well_with gets_along got_along gets_on_well
"""

LOOKS = """
adorable
alluring
appearance
attractive
?beautiful ~ly
beauty
sparkling_eyes beautiful_eyes pretty_eyes lovely_eyes
broad_shoulders broad_shouldered
captivating
?charming
chic
clean_shaven
complexion
?cute
curls curly_hair
curvy
?dashing
dazzling
?elegant ~ly elegance
exquisite
?fair_face fair_skin fairest
fashionable fashion_sense
figure_hugging slender_figure
fine_features fine_boned
flawless
glamorous glamour
glowing_skin
good_looking good_looks
gorgeous
?graceful ~ly grace
groomed
handsome ~ly handsomest
hair_shone
immaculate ~ly
?lovely ?lovelier loveliest loveliness
looks_like_a_model
muscular
petite
photogenic
?pretty ?prettier prettiest
radiant ~ly
ravishing
rosy_cheeks
sexy
shapely
silky_hair
slender slim
?smartly_dressed well_dressed nicely_dressed best_dressed beautifully_dressed
statuesque
strikingly ?striking
?stunning ~ly
stylish ~ly
tall_and slim_and tall_dark
youthful
"""
