"""Which pairs are looked at: household-proof rules, their cost known before they run.

A rule is a tuple of keys that must all agree. `a=b` sets column a of one record against column b of the other, either
way round; `a[]` asks that two lists share an element. None lets a pair in for home and surname alone: that is a family.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from linkage_models.person.blocks import Blocks, Crossing, Ints
from linkage_models.thresholds import (
    LARGEST_BLOCK,
    PAIR_BUDGET_FLOOR,
    PAIR_BUDGET_PER_RECORD,
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
    """What one rule makes by itself: pairs (those of other rules included), the records of its largest block, and how
    its oversized blocks were treated (null where it has none)."""

    rule: str
    pairs: int
    largest_block: int
    note: str | None = None


@dataclass(frozen=True)
class Planned:
    """A rule as it will run on one table: blocks above LARGEST_BLOCK are left out (`capped`), then made once more among
    those that agree on `narrower` too. `blocks` are those of a rule with no oversized one, found while its cost was
    counted."""

    keys: Rule
    cost: RuleCost
    capped: bool = False
    narrower: str | None = None
    blocks: Blocks | Crossing | None = field(default=None, compare=False, repr=False)


def plan(
    con: duckdb.DuckDBPyConnection, table: str, rules: Mapping[str, Rule] | None = None, spare: bool = False
) -> list[Planned]:
    """How the rules (RULES, unless others are given) will run on `table`.

    Blocks of more than LARGEST_BLOCK records (a placeholder, a default date, one surname for all) are narrowed by one
    more column or left out, and the cost of the rule says so. Raises PairBudgetExceeded if all together would still
    make too many pairs; with `spare` the dearest rules are left out instead, named, until they do not.
    """
    planned = [_planned(con, table, name, keys) for name, keys in (rules or RULES).items()]
    (records,) = con.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
    if spare:
        planned = _within_budget(planned, records)
    check_budget([each.cost for each in planned], records)
    return planned


def block(
    con: duckdb.DuckDBPyConnection, table: str, planned: list[Planned], target: str, touching: str | None = None
) -> None:
    """Write the temporary table `target`: one row per pair of `table` that a rule brings together, in order.

    Columns: left_id < right_id, rules (bit i set: the i-th rule holds). With `touching` (unique_id) only the
    pairs that hold one of these records.
    """
    (last,) = con.execute(f"SELECT coalesce(max(unique_id), -1) FROM {table}").fetchall()[0]
    touched = _mask(con, table, touching, last) if touching else None
    # a pair and its rule as one number: to sort those is the quickest way to bring them together
    width, kinds = int(last).bit_length(), len(planned).bit_length()
    found = [np.empty(0, dtype=np.int64)]
    for place, each in enumerate(planned):
        if not each.cost.pairs:
            continue
        parts = [each.blocks.ends(touched)] if each.blocks else _fetched(con, _pair_queries(table, each, touching))
        found += [(left << width | right) << kinds | place for left, right in parts]
    code = np.concatenate(found)
    code.sort()
    pair = code >> kinds
    first = np.flatnonzero(np.concatenate([pair[:1] == pair[:1], pair[1:] != pair[:-1]]))
    bit = np.int64(1) << (code & ((1 << kinds) - 1))
    rules = np.bitwise_or.reduceat(bit, first) if len(first) else bit
    pair = pair[first]
    frame = pl.DataFrame({"left_id": pair >> width, "right_id": pair & ((1 << width) - 1), "rules": rules})
    con.register("pair_found", frame)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {target} AS FROM pair_found")
    con.unregister("pair_found")


def _fetched(con: duckdb.DuckDBPyConnection, queries: list[str]) -> Iterator[tuple[Ints, Ints]]:
    for sql in queries:
        ends = con.execute(sql).fetchnumpy()
        yield np.asarray(ends["a"], dtype=np.int64), np.asarray(ends["b"], dtype=np.int64)


def _mask(con: duckdb.DuckDBPyConnection, table: str, touching: str, last: int) -> NDArray[np.bool_]:
    """By unique_id up to `last`, whether a record of `table` is one of `touching`."""
    mask = np.zeros(last + 1, dtype=np.bool_)
    found = con.execute(f"SELECT unique_id FROM {table} SEMI JOIN {touching} USING (unique_id)").fetchnumpy()
    mask[found["unique_id"]] = True
    return mask


def oversized_mark(con: duckdb.DuckDBPyConnection, table: str, planned: list[Planned]) -> str:
    """A mark of which blocks are oversized and how each is narrowed. As long as it stays, whether two records are
    brought together follows from the two alone."""
    marks: list[tuple[object, ...]] = []
    for each in planned:
        if each.cost.note and not each.cost.pairs:
            marks.append((each.cost.rule, "left out"))
        if each.capped:
            left, right = _sides(each.keys)
            (found,) = con.execute(f"SELECT count(*), bit_xor(k) FROM {_large(table, left, right)}").fetchall()
            marks.append((each.cost.rule, each.narrower, *found))
    return repr(marks)


def _within_budget(planned: list[Planned], records: int) -> list[Planned]:
    """The rules without those too dear for these records. They stay in their places, with no pairs."""
    kept = {place: each.cost.pairs for place, each in enumerate(planned)}
    while sum(kept.values()) > max(SPARE_PAIRS_FLOOR, records * SPARE_PAIRS_PER_RECORD):
        kept.pop(max(kept, key=lambda place: kept[place]))
    return [
        each
        if place in kept
        else replace(each, cost=replace(each.cost, pairs=0, note=f"left out: it would make {each.cost.pairs:,} pairs"))
        for place, each in enumerate(planned)
    ]


def check_budget(costs: list[RuleCost], records: int) -> None:
    """Raise PairBudgetExceeded, naming the dearest rule, if the rules together could pass the budget."""
    budget = max(PAIR_BUDGET_FLOOR, records * PAIR_BUDGET_PER_RECORD)
    total = sum(cost.pairs for cost in costs)
    if total > budget:
        dearest = max(costs, key=lambda cost: cost.pairs)
        raise PairBudgetExceeded(
            f"blocking would compare {total:,} pairs, the budget is {budget:,}; the rule {dearest.rule!r} alone makes"
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


def _planned(con: duckdb.DuckDBPyConnection, table: str, name: str, keys: Rule) -> Planned:
    left, right = _sides(keys)
    ones, others = _keyed(table, left), _keyed(table, right)
    blocks = Blocks.of(con, ones) if left == right else Crossing.of(con, ones, others)
    whole = RuleCost(name, blocks.pairs, blocks.largest)
    if whole.largest_block <= LARGEST_BLOCK:
        return Planned(keys, whole, blocks=blocks)
    kept = _cost(con, table, name, keys, within=LARGEST_BLOCK)
    of_size = f"blocks of up to {whole.largest_block:,} records"
    if not any("=" in key or "[]" in key for key in keys):
        for column in _NARROWER:
            extra = _cost(con, table, name, keys, above=LARGEST_BLOCK, narrower=column)
            if extra.pairs and extra.largest_block <= LARGEST_BLOCK:
                cost = RuleCost(
                    name,
                    kept.pairs + extra.pairs,
                    max(kept.largest_block, extra.largest_block),
                    f"{of_size} compared only where {column} agrees too",
                )
                return Planned(keys, cost, True, column)
    return Planned(keys, RuleCost(name, kept.pairs, kept.largest_block, f"{of_size} left out"), True)


def _sides(keys: Rule) -> tuple[list[str], list[str]]:
    """The expression of each key for the one and the other record."""
    parts = [key.split("=") for key in keys]
    return tuple([_expression(part[side]) for part in parts] for side in (0, -1))  # type: ignore[return-value]


def _expression(column: str) -> str:
    return f"unnest({column.removesuffix('[]')})" if column.endswith("[]") else column


def _keyed(table: str, expressions: list[str], extra: str = "") -> str:
    """Query of (unique_id, k) over the records whose keys are all known. k is a 64-bit hash of them, quicker to join
    and to count by than they are; of a million records, two blocks fall together once in some 40 million runs of a
    rule, and their pairs are then compared to no harm."""
    named = ", ".join(f"{expression} AS k{place}" for place, expression in enumerate(expressions))
    ks = ", ".join(f"k{place}" for place in range(len(expressions)))
    columns = [each.removeprefix("unnest(").removesuffix(")") for each in expressions]
    known = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    return (
        f"(SELECT unique_id, hash({ks}) AS k{', narrower' if extra else ''}"
        f" FROM (SELECT unique_id, {named}{extra} FROM {table} WHERE {known}))"
    )


def _blocks(table: str, expressions: list[str]) -> str:
    return f"(SELECT k, count(*)::HUGEINT AS n FROM {_keyed(table, expressions)} GROUP BY k)"


def _cost(
    con: duckdb.DuckDBPyConnection,
    table: str,
    name: str,
    keys: Rule,
    within: int | None = None,
    above: int | None = None,
    narrower: str | None = None,
) -> RuleCost:
    """The cost of all blocks, of those `within` a size, or of those `above` it once narrowed by a further column."""
    left, right = _sides(keys)
    if narrower:
        source = (
            f"SELECT count(*)::HUGEINT AS n FROM {_keyed(table, left, f', {narrower} AS narrower')}"
            f" SEMI JOIN (FROM {_blocks(table, left)} WHERE n > {above}) USING (k)"
            f" WHERE narrower IS NOT NULL GROUP BY k, narrower"
        )
    else:
        source = f"FROM {_blocks(table, left)}"
    if left == right:
        kept = f" WHERE n <= {within}" if within else ""
        sql = f"SELECT coalesce(sum(n * (n - 1) // 2), 0)::BIGINT, coalesce(max(n), 0)::BIGINT FROM ({source}){kept}"
    else:
        kept = f" WHERE a.n + b.n <= {within}" if within else ""
        # counted from one side of each pair; a symmetrical rule meets each pair from both
        sql = (
            f"SELECT coalesce(sum(a.n * b.n), 0)::BIGINT, coalesce(max(a.n + b.n), 0)::BIGINT"
            f" FROM {_blocks(table, left)} a JOIN {_blocks(table, right)} b USING (k){kept}"
        )
    pairs, largest = con.execute(sql).fetchall()[0]
    return RuleCost(name, pairs, largest)


def _pair_queries(table: str, planned: Planned, touching: str | None) -> list[str]:
    """Queries of (a, b), a < b, that together make the pairs of a rule; a pair may come more than once."""
    left, right = _sides(planned.keys)
    crossed = left != right
    large = _large(table, left, right)
    kept = f" ANTI JOIN {large} USING (k)" if planned.capped else ""
    agree = "l.k = r.k"
    ones, others = f"(FROM {_keyed(table, left)}{kept})", _keyed(table, right)
    sides = [(ones, others, agree)]
    if touching:
        sides = [(_some(ones, touching), others, agree)]
        sides += [(ones, _some(others, touching), agree)] if crossed else []
    if planned.narrower:
        members = f"(FROM {_keyed(table, left, f', {planned.narrower} AS narrower')} SEMI JOIN {large} USING (k))"
        some = _some(members, touching) if touching else members
        sides.append((some, members, f"{agree} AND l.narrower = r.narrower"))
    # in a crossed rule, and beside a few records, the pair may stand either way round
    order = "<>" if crossed or touching else "<"
    return [
        f"SELECT least(l.unique_id, r.unique_id) AS a, greatest(l.unique_id, r.unique_id) AS b"
        f" FROM {one} l JOIN {other} r ON {condition} AND l.unique_id {order} r.unique_id"
        for one, other, condition in sides
    ]


def _large(table: str, left: list[str], right: list[str]) -> str:
    """The keys of the oversized blocks of a rule."""
    if left == right:
        return f"(SELECT k FROM {_blocks(table, left)} WHERE n > {LARGEST_BLOCK})"
    return (
        f"(SELECT k FROM {_blocks(table, left)} a JOIN {_blocks(table, right)} b USING (k)"
        f" WHERE a.n + b.n > {LARGEST_BLOCK})"
    )


def _some(records: str, touching: str) -> str:
    return f"(FROM {records} SEMI JOIN {touching} USING (unique_id))"
