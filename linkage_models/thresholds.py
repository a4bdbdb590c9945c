"""Every number of the linkage that is policy, with its source. Weights are match weights: log2 of the odds."""

# Pairs at or above are shown as linked on their own evidence; between REVIEW and LINK they go to review. With a
# calibration the two follow from TARGET_PRECISION and REVIEW_PROBABILITY, and LINK_WEIGHT is the floor: evidence under
# 8 : 1 links nobody by itself, whatever the average of the pairs above it.
LINK_WEIGHT = 3.0
REVIEW_WEIGHT = -3.0
# Precision that all pairs at or above the link threshold must reach together; `target_precision` in the settings.
TARGET_PRECISION = 0.99
# From here a reviewer's look is worth it: one pair in four is of one person.
REVIEW_PROBABILITY = 0.25
# The link threshold where no weight reaches the target: nothing links by itself.
NOTHING_LINKS = 100.0

# Calibration. Fewer labels than these tell a curve nothing (assumed).
LEAST_LABELS = 100
LEAST_LABELS_OF_A_KIND = 10
# How far labels may have to move the shipped curve: standard deviations of its intercept (natural log odds) and slope.
INTERCEPT_SD = 1.0
SLOPE_SD = 0.3
# A bin is drawn to the recalibrated line as strongly as this many labels would draw it; bins hold at least
# LABELS_PER_BIN labels.
CALIBRATION_PULL = 20.0
LABELS_PER_BIN = 50
MOST_BINS = 40
# Every interval that is shown: 90 %.
INTERVAL_LEVEL = 0.90
# Estimates without a truth: standard deviation, between sites, of the logarithm of true to foretold errors. The least
# that any fit may claim, and what is assumed of a model that no labelled site has tried (a factor of 6 either way).
LEAST_SITE_SD = 0.3
UNTRIED_SITE_SD = 1.1
UNTRIED_CLUMP = 3.0
# Half width, in bits, of the interval of a weight taken at face value (raw probabilities were seen 2 to 4 bits off).
UNCALIBRATED_BITS = 4.0

# Clustering. A group grows while the mean weight over all pairs between its halves stays above STOP: 0, "on average the
# evidence says same" (reference: this one setting held on four labelled sets).
CLUSTER_STOP = 0.0
# A pair that was never compared counts log2(1 - recall of blocking): a true pair is missed that often, a false one
# nearly always.
BLOCKING_RECALL = 0.90
# An estimate of it is believed between these: below, missing pairs would hardly count; above, one would outvote a
# match.
BLOCKING_RECALL_BOUNDS = (0.5, 0.99)
# Two groups of records that became one on less evidence than this, on average over their pairs, are to be reviewed.
THIN_EVIDENCE = 1.0
# A group that fits two others within so many bits, which do not go together, joins neither and goes to review. On nine
# harsh tuning boroughs (seeds 53, 601, 701 to 707) 1.5 bits took clusters of two people from 0.113 to 0.065 in 100 and
# 0.14 points off the recall of distinguished pairs; 2.5 bits to 0.057 and 0.01 points more, but strangers under noise
# lost 0.3 points of F1 by it.
FITS_AS_WELL = 1.5
# The most of a list's people that another list is believed to hold too, before a pair is known (assumed).
MOST_IN_BOTH = 0.95
# Of the groups that one fits, so many of the best are held against each other: a crowd of equals would take the cube of
# its size.
RIVALS_LOOKED_AT = 16
# General design: a record alone joins a group of two or more from so many bits below STOP on, if a pair of theirs lies
# above STOP. Under harsh noise (20,000 records, seed 22) of such joins with a mean between -1.5 and 0 three in four are
# right, of two groups with such a mean one in four. 1, 1.5 and 2 bits took F1 of pairs there from .932 to .936, .937
# and .937, on seed 41 from .928 to .933, .935 and .935, of 80,000 records (seed 43) from .917 to .922, .923 and .923;
# precision fell by .3 to .5 points. Without the pair above STOP .001 more and .4 points of precision less.
LONE_RECORD = 1.5
# No single pair may outvote a group: beyond this the evidence says no more.
WEIGHT_CAP = 20.0
# Days a stay may seem to begin after a death (late entry) before it belongs to someone else.
DEATH_GRACE_DAYS = 120

# Pairs that the blocking rules may make per record before the rule set is refused. 470,000 records with household-proof
# rules make 1.5 a record, single-column rules 256.
PAIR_BUDGET_PER_RECORD = 60
PAIR_BUDGET_FLOOR = 3_000_000
# The general design has rules to spare, and a smaller budget (a run over 200,000 records then scores some 6 million
# pairs, about a minute of CPU). The floor is for files of many records a person.
SPARE_PAIRS_PER_RECORD = 30
SPARE_PAIRS_FLOOR = 3_000_000
# Records that share all keys of one rule. The rules ask for so much that people do not: the commonest full name of
# 180,000 residents is shared by some 150 records. What is larger is a placeholder, a default or a column of one value.
LARGEST_BLOCK = 1_000
# What is tried in its place, one after the other, while the rules would make more pairs than the budget: a common value
# tells fewer people apart than a rare one, so the largest blocks hold the fewest true pairs for their cost.
SMALLER_BLOCKS = (500, 250, 120, 60, 30, 15, 8, 4)
# Pairs by which it is judged how many all rules make together.
SAMPLED_PAIRS = 1_000_000

# A full name that more people of the place are expected to bear brings no records together by itself: of the pairs that
# no other rule makes, 37 in 318,000 spoke for one person (470,000 records, seed 4; F1 of pairs .9631 with and without).
COMMON_NAME = 8.0

# Records that may share one value for it to bring them together by itself (general design): 40 make 20 pairs a record.
RARE_BLOCK = 40

# A word that more than this share of addresses have (street, the town, a state) tells no two homes apart (assumed).
COMMON_WORD = 0.1

# A deterministic rule is worth at least this, whatever the model says of the pair.
DETERMINISTIC_WEIGHT = 12.0

# Fixed evidence (log2 Bayes factors) where families defeat independence between comparisons; EM never sees these
# pairs as matches.
# Twins: same home and birth date, other forename. Home and date alone say 25 : 1 "same", other forename must undo
# that and more.
TWIN_WEIGHT = -16.0
# In records of any origin forenames may go wrong more often than there are twins: there training says how often a
# person's records differ in forename, held against the share of records that a twin's stands beside. 15 in 1,000 births
# in England and Wales are of two (ONS, Birth characteristics), and a quarter of people are children at home.
TWIN_SHARE = 0.015
# Others at home, a record: 2.4 people live in a household (England and Wales, census 2021). Where no birth date tells
# them apart, a home and a shared telephone or email say no more of a person than of the others.
RELATIVE_SHARE = 1.4
RELATIVE_WEIGHT = -30.0
# A record without any name or birth date beside one that names somebody: what they share is a home's or an office's. Of
# these of an invented customers' list 88 in 160 wrong pairs were such (assumed, as for two people of one home).
NOBODY_WEIGHT = -14.0
# Parent and child of one name: same home and forename, births 14 years or more apart. As strong as for twins: however
# rare the name is elsewhere, in this home two bear it.
NAMESAKE_WEIGHT = -16.0
NAMESAKE_YEARS = 14
# Jr against Sr: as strong as for parent and child of one name, so that a record of that home without either seldom
# brings the two together; of two namesakes who both bear one, about half bear the same (assumed).
OTHER_GENERATION_WEIGHT = -16.0
SAME_GENERATION_WEIGHT = 1.0
# Two people of one home: forename and birth date both differ.
OTHER_PERSON_WEIGHT = -14.0
# One forename, two sexes: a slip in a title (1 record in 1,000) against a forename that both bear (assumed: 1 in 60).
OTHER_SEX_WEIGHT = -4.0
# One source bills two names at one home over the same days, for longer than a month's slip in writing an end: joint
# liability. A source that bills one person twice at once would be the exception (in training boroughs 51 and 53: 0 of
# 650 such pairs that share an initial).
JOINT_WEIGHT = -8.0
JOINT_DAYS = 31
# A landline is a home's: whoever gives it lives there, which the home says already; beside another home, that one was
# shared once (assumed).
LANDLINE_WEIGHT = 2.0
# Under 16, yet liable, a claimant, a tenant or an elector, or a pupil who is a pupil's contact: only a wrong birth year
# (1 in some 1,000) explains that, and a rare forename makes a child named after a parent no rarer. Weighed so that no
# other record of the two makes up for it (among 470,000 records of seed 4, one pair of one person).
CHILD_ADULT_WEIGHT = -30.0
# Under 16 when the other became liable, an elector or a spouse: an account may be older than its holder's part in it.
ADULT_TOO_SOON_WEIGHT = -16.0

# Company (person/company.py). The share of pairs between the homes of a mover and of the mover's next home that are of
# someone who moved along (assumed; on training boroughs 51, 53 and 55 totals above 0 were then right 77 to 99 times in
# 100). Pairs below the floor are not looked at, fewer bits than the least are not written.
MOVES_ALONG = 0.1
COMPANY_FLOOR = -15.0
COMPANY_LEAST = 0.1

# Bits taken off for a surname shared without a home, beside what communities of names explain: given names also go
# with age, relatives share a surname, often a forename and live near, and one coincidence is seen between all records
# of the two people. Given back where one bill ends as the other begins, which no namesake's does. On nine harsh tuning
# boroughs (seeds 53, 601, 701 to 707) all this for 3.5 bits off two levels alone took clusters of two people from 31 to
# 26 of 40,000 and 0.2 points off the recall of distinguished pairs.
NAMES_GO_TOGETHER = 4.5

# Communities of names (person/communities.py): axes looked at, and how far above the least of them an axis must stand
# to be more than chance (in the training borough the plain of chance ends at 1.1 times the 24th).
COMMUNITY_AXES = 24
COMMUNITY_CLEAR = 1.1
COMMUNITY_LEAST = 0.1
# A name has a place if two of its bearers share their other name at least twice as often as any two people.
COMMUNITY_LIFT = 1.0
# Made-up bearers of each name with the other name of anyone, before it is held to lean to a community.
COMMUNITY_SHRINKAGE = 2.0
# Records of any origin are asked first whether namesakes born more than so many years apart are too many for chance: at
# least so many pairs, and so many times as many (0.2 to 1.1 times on eight sets of invented registers, censuses and
# copies, where communities learnt from one person's copies cost up to .002 F1; 2.2 to 2.9 times under harsh noise).
NAMESAKES_APART = 3
NAMESAKES_FEWEST = 100
NAMESAKES_TOO_MANY = 1.5

# Jaro-Winkler similarity from which two names count as one misspelt (Splink's and the NHS's usual cut).
NAME_SIMILARITY = 0.90
# Days between two birth dates that a slip in the day, the day of registration or a month wrongly counted explains.
NEAR_DAYS = 31
# Similarity of names that are a little alike (general design).
SLIGHT_SIMILARITY = 0.75
# Of names that stand in each other's place, what the less similar two must have: unrelated names have some 0.45.
TURNED_SIMILARITY = 0.6

# Share of the words of the longer address text that two share, from which they are one home (with one number) or alike.
# Assumed, not tuned: one word in four or five may be missing or misspelt; what a level is worth, training says.
ADDRESS_SAME = 0.6
ADDRESS_ALIKE = 0.4

# The most of a person's pairs of records that may plainly differ in forename, in birth date, in sex (assumed: harsh
# damage shows half of it). Without a bound, training on households could take one name, or one family, for one person.
MOST_DIFFERENT = 0.1
# The same of two whole birth dates that share neither year nor day: slips leave part of a date standing, so more of it
# is namesakes taken for one person (true of 20,000 records under harsh noise, seed 21: 0.006; a bound of 0.02 is better
# there, F1 of pairs .911 for .908, but costs FEBRL 4, whose dates are replaced whole, .998 for .997).
MOST_OTHER_DAYS = 0.05
# The same of surnames that are nothing alike, beside other addresses: with a year of birth and a forename alone,
# namesakes fill any bound. Women marry between two censuses, and harsh damage shows 0.03.
MOST_OTHER_SURNAMES = 0.05
# The same where nothing but names, an address and, for most, a year of birth is known (assumed).
MOST_UNPROVED = 0.01
# The same of days of birth two digits apart or further, each kind, where a day of birth is the only thing beside names
# that could prove a person, as fewer than FEW_HOMES of the records have a home: namesakes fill any bound there (an
# invented Vietnamese clinic, seeds 2 and 3: true .000 to .004; assumed).
MOST_DAYS_UNPROVED = 0.005
FEW_HOMES = 0.1

# Of the pairs of one surname in one home, the share of two plainly different people from which records hold families
# (assumed: a council's registers show more than half, a list of persons with copies none).
FAMILY_SHARE = 0.2
# Where a person has many records, of the homes with somebody whom two records describe alike, the share that must hold
# two such people of one surname, and the fewest (an invented hospital of ten records a person with twins and juniors,
# 14 of 886; FEBRL 3 and 4, which hold no families, none of 323 and of 645).
FAMILY_HOMES = 0.005
FAMILY_HOMES_FEWEST = 3

# The shipped model is for records of which, among those with an address, at least this share is placed at a UPRN: its
# weights of a shared home are those of a door that a gazetteer knows (assumed; a council's sources reach 0.9 and more).
PLACED_SHARE = 0.5
# Fewer records placed at UPRNs hold too few true pairs to train on (assumed).
FEWEST_TO_TRAIN = 1_000
# Of other records training is better than assuming from about so many on: F1 of pairs of 95 and 128 records is .964
# and .814 trained, .983 and .937 assumed; of 238 to 2,149 records of the same kinds it is higher trained, in 12 of 12.
FEWEST_OF_ANY_ORIGIN = 200
# A model trained here serves later runs until the records have grown or shrunk by this factor (assumed).
RETRAIN_GROWTH = 1.5

# Training. A full name is rare if so many people of the place, or fewer, are expected to bear it by chance.
RARE_NAME = 0.05
# Pairs that training looks at: at random; of a shared home and of a shared postcode, for the levels that only
# neighbours can reach; of each session. Over 470,000 records and three seeds, with 200,000 of a session, u of levels
# that 1 random pair in 10,000 reaches moved by 0.14 bits (0.21 with a million pairs of some 1,400 records), u of rarer
# ones by 0.3 (0.6; 0.3 to 0.7 with any number tried), m above 0.01 by 0.02 (0.03), smaller m by 0.3 (0.1): chance in u
# is the greater part either way. The persons found are as good.
U_PAIRS = 500_000
NEIGHBOUR_PAIRS = 500_000
EM_PAIRS = 250_000
EM_ITERATIONS = 200
EM_CONVERGENCE = 2e-4
PRIOR_RULE_RECALL = 0.75
# However few pairs there are, no more of them count as matches beforehand: certainty would drown all evidence.
PRIOR_MOST = 0.2
# u of an identifier that is unique by design: the share of people who hold another's number by mistake (assumed).
UNIQUE_ID_U = 1e-6
# u of one birth date: 365 days over about 68 even years of age. Counted, it would drown in true matches in a small
# borough.
BIRTH_DATE_U = 4e-5
# How common names are at hand: what a model knows from elsewhere counts as so many people (assumed: among a thousand
# half of it is believed, among a hundred thousand 1 %), and so many bearers of a name may be one family and the ways
# that it is written. Names no commoner than that stay as the model knows them: counting them in full cost 0.1 to 0.3
# points of recall on boroughs of 4,000 people.
NAMES_KNOWN = 1_000
ONE_FAMILY = 10
# Term frequencies: a value seen fewer times is pooled, so that a model file never holds a rare name.
RARE_TERM_COUNT = 5

# Days that two people must have shared a home to be one household: fewer is a move out and a move in (assumed).
HOUSEHOLD_OVERLAP_DAYS = 28

# A source whose distinct birth dates lie, for more than this share and in more than this number, too far back for
# anyone alive is about the past, and they hold (assumed: slips give a council's register a few such days, a census of
# the past nearly all).
HISTORIC_SHARE = 0.05
HISTORIC_FEWEST = 20

# A full birth date that more than this share of a source's records show, under so many different names, is what a
# system fills in (assumed: of people of one school year, 1 in 365 share a day; of all ages, 1 in some 25,000).
DEFAULT_DATE_SHARE = 0.01
DEFAULT_DATE_FEWEST = 20

# Incremental linking. Where more than this share of the records changed, scoring all pairs is as quick (working rule).
CHANGED_SHARE = 0.2

# A person is oversized with more than TIMES the records that the sources at hand give USUAL_SHARE of those whom they
# know at least twice, and never below LEAST (working rule: on training boroughs 999 in 1,000 have six or fewer).
USUAL_SHARE = 0.999
OVERSIZED_TIMES = 2
OVERSIZED_LEAST = 13
