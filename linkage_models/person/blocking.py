"""Which pairs are looked at: household-proof rules, their cost known before they run.

A rule is a tuple of keys that must all agree. `a=b` sets column a of one record against column b of the other, either
way round; `a[]` asks that two lists share an element. None lets a pair in for home and surname alone: that is a family.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import duckdb
import numpy as np
import polars as pl

from linkage_models.person.blocks import Blocks, Bools, Crossing, Ints, Keys
from linkage_models.thresholds import (
    LARGEST_BLOCK,
    PAIR_BUDGET_FLOOR,
    PAIR_BUDGET_PER_RECORD,
    SAMPLED_PAIRS,
    SMALLER_BLOCKS,
    SPARE_PAIRS_FLOOR,
    SPARE_PAIRS_PER_RECORD,
)

Rule = tuple[str, ...]

RULES: dict[str, Rule] = {
    "nino": ("nino",),
    "nhs_number": ("nhs_number",),
    "phone": ("phone", "initial"),
    "email": ("email", "initial"),
    "nino_one_sign_apart": ("nino_deletes[]", "initial"),
    "birth_date_surname": ("birth_date", "surname_phonetic"),
    "birth_date_forename": ("birth_date", "forename_root"),
    "birth_date_swapped_names": ("birth_date", "name_key"),
    "birth_date_postcode": ("birth_date", "postcode"),
    "birthday_surname": ("birthday", "surname_phonetic", "initial"),
    "birthday_forename_postcode": ("birthday", "forename_root", "postcode"),
    "names_birth_year": ("forename_root", "surname_phonetic", "birth_year"),
    "home_forename": ("home_key", "forename_root"),
    "home_initial": ("home_key", "initial"),
    "home_birth_date": ("home_key", "birth_date"),
    "home_swapped_names": ("home_key", "name_key"),
    "home_middle_initial": ("home_key", "initial=middle_initial"),
    "postcode_surname_initial": ("postcode", "surname_phonetic", "initial"),
    "full_name": ("telling_name",),
    "moved": ("surname_phonetic", "initial", "month_out=month_in"),
    "moved_next_month": ("surname_phonetic", "initial", "month_after=month_in"),
}

# Rules by what they rest on. A record's identifiers, birth date, home and name go wrong by separate causes, so how
# often one family finds what another found says how often all of them miss (see coverage.py).
FAMILIES: dict[str, frozenset[str]] = {
    "identifier": frozenset({"nino", "nhs_number", "phone", "email", "nino_one_sign_apart"}),
    "birth date": frozenset({name for name in RULES if "birth" in name}) - {"home_birth_date", "birth_date_postcode"},
    "place": frozenset({name for name in RULES if name.startswith(("home", "postcode"))}),
    "name": frozenset({"full_name", "moved", "moved_next_month"}),
}


class PairBudgetExceeded(ValueError):
    """The blocking rules would make more pairs than the budget allows."""


@dataclass(frozen=True)
class RuleCost:
    """What one rule makes by itself: pairs (those of other rules included), the records of its largest block, how its
    oversized blocks were treated (null where it has none), and whether some were left out."""

    rule: str
    pairs: int
    largest_block: int
    note: str | None = None
    leaves_out: bool = False


@dataclass(frozen=True)
class Planned:
    """A rule as it will run on one table. `narrowed` has, of each time that blocks were found too large: the column on
    which their records had to agree too (null: they were left out), the records of the largest, how many blocks there
    were, and a mark of which."""

    keys: Rule
    cost: RuleCost
    parts: tuple[Blocks | Crossing, ...] = field(default=(), compare=False, repr=False)
    narrowed: tuple[tuple[str | None, int, int, int], ...] = ()


def plan(
    con: duckdb.DuckDBPyConnection, table: str, rules: Mapping[str, Rule] | None = None, spare: bool = False
) -> list[Planned]:
    """How the rules (RULES, unless others are given) will run on `table`.

    Blocks of more than LARGEST_BLOCK records (a placeholder, a default date, one surname for all) are narrowed by one
    more column or left out, and the cost of the rule says so. While all rules together would compare more pairs than
    the budget (a smaller one with `spare`), smaller blocks are treated like this too. Raises PairBudgetExceeded where
    that does not help.
    """
    laid = lay_out(con, table, rules or RULES)
    return laid.fitted(laid.every, spare)


@dataclass(frozen=True)
class LaidOut:
    """The rules on a table, every block whole. `every`: of each number up to the last, whether a record has it."""

    rules: list["Planned"]
    every: Bools
    columns: "_Columns" = field(repr=False)

    def fitted(self, held: Bools, spare: bool) -> list["Planned"]:
        """The rules as `plan` makes them run where only these records are, whatever else is in the table."""
        whole = self.rules if held is self.every else [_among(each, held) for each in self.rules]
        planned = [_within(each, LARGEST_BLOCK, self.columns) for each in whole]
        budget = pair_budget(int(held.sum()), spare)
        pairs = _together(planned, held, budget)
        for limit in SMALLER_BLOCKS:
            if pairs > budget:
                planned = [_within(each, limit, self.columns) for each in planned]
                pairs = _together(planned, held, budget)
        check_budget([each.cost for each in planned], pairs, budget)
        return planned

    def fits(self, records: int, spare: bool) -> bool:
        """Whether all blocks can stay whole, here and wherever there are fewer records, though no fewer than these."""
        largest = max((part.largest for each in self.rules for part in each.parts), default=0)
        pairs = sum(part.pairs for each in self.rules for part in each.parts)
        return largest <= LARGEST_BLOCK and pairs <= pair_budget(records, spare)


def lay_out(con: duckdb.DuckDBPyConnection, table: str, rules: Mapping[str, Rule]) -> LaidOut:
    """The rules on `table`."""
    number = np.asarray(con.execute(f"SELECT unique_id FROM {table}").fetchnumpy()["unique_id"], dtype=np.int64)
    every = np.zeros(int(number.max(initial=-1)) + 1, dtype=np.bool_)
    every[number] = True
    planned = [Planned(keys, RuleCost(name, 0, 0), (_whole(con, table, keys),)) for name, keys in rules.items()]
    return LaidOut(planned, every, _Columns(con, table, len(every) - 1))


def pair_budget(records: int, spare: bool) -> int:
    """The pairs that may be compared among so many records (fewer with `spare`)."""
    per_record, floor = (
        (SPARE_PAIRS_PER_RECORD, SPARE_PAIRS_FLOOR) if spare else (PAIR_BUDGET_PER_RECORD, PAIR_BUDGET_FLOOR)
    )
    return max(floor, records * per_record)


def _together(planned: list[Planned], held: Bools, budget: int) -> int:
    """The pairs of all rules; if these were more than the budget, about how many they are with one that several rules
    make counted once, by the pairs of a random part of the records that are `held`."""
    total = sum(each.cost.pairs for each in planned)
    if total <= budget:
        return total
    share = min(1.0, SAMPLED_PAIRS / total)
    drawn = np.zeros(len(held), dtype=np.bool_)
    drawn[held] = np.random.default_rng(1).random(int(held.sum())) < share
    pair, _ = found_pairs(planned, len(held) - 1, drawn)
    return round(len(pair) / (1 - (1 - share) ** 2))


def block(
    con: duckdb.DuckDBPyConnection, table: str, planned: list[Planned], target: str, touching: str | None = None
) -> None:
    """Write the temporary table `target`: one row per pair of `table` that a rule brings together, in order.

    Columns: left_id < right_id, rules (bit i set: the i-th rule holds). With `touching` (unique_id) only the
    pairs that hold one of these records.
    """
    (last,) = con.execute(f"SELECT coalesce(max(unique_id), -1) FROM {table}").fetchall()[0]
    touched = records_of(con, table, touching, last) if touching else None
    pair, rules = found_pairs(planned, last, touched)
    width = int(last).bit_length()
    frame = pl.DataFrame({"pair": pair, "rules": rules})
    con.register("pair_found", frame)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {target} AS"
        f" SELECT pair >> {width} AS left_id, pair & {(1 << width) - 1} AS right_id, rules FROM pair_found"
    )
    con.unregister("pair_found")


def found_pairs(planned: list[Planned], last: int, touched: Bools | None) -> tuple[Ints, Ints]:
    """Each pair that a rule makes as one number, the lower record before the higher, in order; and the rules that make
    it, a bit each."""
    # a pair and its rule as one number: to sort those is the quickest way to bring them together
    width, kinds = int(last).bit_length(), len(planned).bit_length()
    found = [np.empty(0, dtype=np.int64)]
    for place, each in enumerate(planned):
        ends = (part.ends(touched) for part in each.parts if part.pairs)
        found += [(left << width | right) << kinds | place for left, right in ends]
    code = np.concatenate(found)
    del found  # there may be tens of millions: no array of them more than is needed
    code.sort()
    pair = code >> kinds
    first = np.flatnonzero(np.concatenate([pair[:1] == pair[:1], pair[1:] != pair[:-1]]))
    pair = pair[first]
    code &= (1 << kinds) - 1
    bit = np.left_shift(np.int64(1), code, out=code)
    return pair, np.bitwise_or.reduceat(bit, first) if len(first) else bit


def records_of(con: duckdb.DuckDBPyConnection, table: str, touching: str, last: int) -> Bools:
    """By unique_id up to `last`, whether a record of `table` is one of `touching`."""
    mask = np.zeros(last + 1, dtype=np.bool_)
    found = con.execute(f"SELECT unique_id FROM {table} SEMI JOIN {touching} USING (unique_id)").fetchnumpy()
    mask[found["unique_id"]] = True
    return mask


def oversized_mark(planned: list[Planned]) -> str:
    """A mark of which blocks are oversized and how each is narrowed, however large they are. As long as it stays,
    whether two records are brought together follows from the two alone."""
    return repr(
        [
            (each.cost.rule, [(column, blocks, which) for column, _, blocks, which in each.narrowed])
            for each in planned
            if each.narrowed
        ]
    )


def check_budget(costs: list[RuleCost], pairs: int, budget: int) -> None:
    """Raise PairBudgetExceeded, naming the dearest rule, if the rules together pass the budget."""
    if pairs > budget:
        dearest = max(costs, key=lambda cost: cost.pairs)
        raise PairBudgetExceeded(
            f"blocking would compare {pairs:,} pairs, the budget is {budget:,}; the rule {dearest.rule!r} alone makes"
            f" {dearest.pairs:,}, its largest block holds {dearest.largest_block:,} records"
        )


def as_settings(rules: Mapping[str, Rule]) -> list[dict[str, str]]:
    """The rules as Splink reads them."""
    return [{"blocking_rule": agreement_sql(keys), "sql_dialect": "duckdb"} for keys in rules.values()]


def agreement_sql(keys: Rule) -> str:
    """The condition that the records l and r agree on all keys of a rule."""
    ways = []
    for a, b in (("l", "r"), ("r", "l")) if any("=" in key for key in keys) else (("l", "r"),):
        terms = []
        for key in keys:
            first, _, second = key.removesuffix("[]").partition("=")
            terms.append(
                f"list_has_any({a}.{first}, {b}.{first})"
                if key.endswith("[]")
                else f"{a}.{first} = {b}.{second or first}"
            )
        ways.append(" AND ".join(terms))
    return ways[0] if len(ways) == 1 else " OR ".join(f"({way})" for way in ways)


# What narrows an oversized block, in this order.
_NARROWER = ("birth_date", "home_key", "postcode", "forename_root", "surname_key")


@dataclass
class _Columns:
    """The values of a column as numbers, by the number of the record (up to `last`); fetched when first asked for."""

    con: duckdb.DuckDBPyConnection
    table: str
    last: int
    held: dict[str, tuple[Keys, Bools]] = field(default_factory=dict)

    def __getitem__(self, column: str) -> tuple[Keys, Bools]:
        if column not in self.held:
            found = self.con.execute(f"FROM {_keyed(self.table, [column])}").fetchnumpy()
            value, known = np.zeros(self.last + 1, dtype=np.uint64), np.zeros(self.last + 1, dtype=np.bool_)
            value[found["unique_id"]], known[found["unique_id"]] = found["k"], True
            self.held[column] = value, known
        return self.held[column]


def _sides(keys: Rule) -> tuple[list[str], list[str]]:
    """The expression of each key for the one and the other record."""
    parts = [key.split("=") for key in keys]
    return tuple([_expression(part[side]) for part in parts] for side in (0, -1))  # type: ignore[return-value]


def _expression(column: str) -> str:
    return f"unnest({column.removesuffix('[]')})" if column.endswith("[]") else column


def _keyed(table: str, expressions: list[str]) -> str:
    """Query of (unique_id, k) over the records whose keys are all known. k is a 64-bit hash of them, quicker to join
    and to count by than they are; of a million records, two blocks fall together once in some 40 million runs of a
    rule, and their pairs are then compared to no harm."""
    named = ", ".join(f"{expression} AS k{place}" for place, expression in enumerate(expressions))
    ks = ", ".join(f"k{place}" for place in range(len(expressions)))
    columns = [each.removeprefix("unnest(").removesuffix(")") for each in expressions]
    known = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    return f"(SELECT unique_id, hash({ks}) AS k FROM (SELECT unique_id, {named} FROM {table} WHERE {known}))"


def _whole(con: duckdb.DuckDBPyConnection, table: str, keys: Rule) -> Blocks | Crossing:
    left, right = _sides(keys)
    ones, others = _keyed(table, left), _keyed(table, right)
    return Blocks.of(con, ones) if left == right else Crossing.of(con, ones, others)


def _among(planned: Planned, held: Bools) -> Planned:
    return replace(planned, parts=tuple(part.among(held) for part in planned.parts))


def _within(planned: Planned, limit: int, columns: _Columns) -> Planned:
    """The rule with its blocks of more than `limit` records made once more among those that agree in one more column,
    or left out."""
    parts, narrowed = list[Blocks | Crossing](), list(planned.narrowed)
    for part in planned.parts:
        parts.append(part.within(limit))
        if part.largest > limit:
            large = part.above(limit)
            column, smaller = _narrowed(large, limit, columns)
            parts += [smaller] if smaller else []
            key = np.unique(large.key)
            narrowed.append((column, large.largest, len(key), int(np.bitwise_xor.reduce(key))))
    size = {column: max(n for c, n, *_ in narrowed if c == column) for column, *_ in narrowed}
    notes = [
        f"blocks of up to {n:,} records {f'compared only where {column} agrees too' if column else 'left out'}"
        for column, n in size.items()
    ]
    pairs, largest = sum(part.pairs for part in parts), max(part.largest for part in parts)
    cost = RuleCost(planned.cost.rule, pairs, largest, "; ".join(notes) or None, None in size)
    return Planned(planned.keys, cost, tuple(parts), tuple(narrowed))


def _narrowed(large: Blocks | Crossing, limit: int, columns: _Columns) -> tuple[str | None, Blocks | None]:
    """The first column by which these blocks become small enough, and what they become."""
    if isinstance(large, Blocks):
        for column in _NARROWER:
            smaller = large.narrowed(*columns[column])
            if smaller.pairs and smaller.largest <= limit:
                return column, smaller
    return None, None
