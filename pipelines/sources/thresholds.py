"""The numbers of intake that are policy, each with its reason."""

# A delivery with a larger share of rows that can't be used is refused whole: the extract is at fault, not its rows.
# 2 % is twice the worst share of broken lines seen in council extracts that were worth keeping (judgement).
SET_ASIDE_LIMIT = 0.02
# ... but a handful of bad rows in a tiny file doesn't condemn it.
SET_ASIDE_ALWAYS = 5

# Longest record kept, in characters. The widest real layout (Client Level Data, 60 columns) stays under 4,000.
LONGEST_LINE = 1_000_000
# Longest record that DuckDB is let read, in bytes: beyond its limit it loses the records after, so the file is refused.
REFUSED_LINE = 4_000_000

# A slot's name that shares no word of this length with the one before it ...
OCCUPANT_WORD = 3
# ... and whose Jaro-Winkler similarity to it is below this (a typing error keeps it above), is another person.
OCCUPANT_SIMILARITY = 0.8

# Elements within elements of an XML extract; census returns and NCCIS stay under 12.
DEEPEST_XML = 100

# A workbook's part may grow by this factor when it is unpacked. Sheets of one repeated row reach about 150 to one,
# DEFLATE at most 1,032: what lies above is made to fill a disk.
EXPANSION_LIMIT = 250
# ... below this many unpacked bytes no ratio is asked.
EXPANSION_ALWAYS = 10_000_000

# A column that is gone and a new one whose name is at least so alike (Ratcliff/Obershelp) are one, renamed.
RENAMED_SIMILARITY = 0.6

# A column of which a larger share of the values can't be read has changed its type or date format: the file is refused,
# or a whole column would come in empty. Judgement: honest columns stay below 5 %.
UNREADABLE_LIMIT = 0.5
# ... but a handful of values proves nothing.
UNREADABLE_ALWAYS = 20

# A column is of a type if so large a share of its values fits it; the rest are slips.
SHAPE_FIT = 0.9
# Among dates so large a share of years alone is a way of writing what is known (invented church books give a tenth of
# births so), less is slips (assumed).
YEARS_ALONE = 0.01
