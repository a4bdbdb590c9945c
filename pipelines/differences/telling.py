"""Differences in sentences and tables that people read."""

from collections.abc import Iterator
from typing import Any

from pipelines.differences.comparing import LEAST_GROUP, Differences, Group, Persons
from pipelines.faults import plural

Table = tuple[str, tuple[str, ...], list[tuple[Any, ...]]]
#: Contradicted decisions that are named one by one; the rest is counted.
NAMED = 20


def sentences(found: Differences) -> Iterator[str]:
    """What a reader wants to know first."""
    yield f"From run {found.before} to {found.after}."
    for view in found.persons:
        yield f"{view.view}: {persons_in_words(view)}"
        if worst := found.worst(view.view):
            yield f"  Most touched: {touched(worst)}, over all {_share(view.regrouped, view.shared)}."
    yield from _decisions(found)
    if found.flags:
        came, went = sum(flag.appeared for flag in found.flags), sum(flag.vanished for flag in found.flags)
        other = sum(flag.restrengthened for flag in found.flags)
        yield f"Flagged pairs: {came:,} appeared, {went:,} vanished, {other:,} are of another strength."
    if found.tiers:
        scored = sum(row.persons for row in found.tiers)
        moved = sum(row.persons for row in found.tiers if row.before and row.after and row.before != row.after)
        yield f"Risk tiers: {plural(moved, 'person')} of {scored:,} moved to another tier."


def tables(found: Differences) -> list[Table]:
    """The numbers behind the sentences; empty ones are left out."""
    told: list[Table] = [
        ("Figures", ("what", "before", "after", "difference"), [_figure(*row) for row in found.figures]),
        (
            "Persons",
            ("view", "before", "after", "unchanged", "merged", "into", "split", "into ", "created", "retired"),
            [
                (
                    p.view, p.before, p.after, p.unchanged, p.merged, p.merged_into, p.split, p.split_into, p.created,
                    p.retired,
                )
                for p in found.persons
            ],
        ),
        (
            "Records whose person was merged or split, by group",
            ("view", "by", "group", "records", "regrouped", "share"),
            [(g.view, g.by, g.value, g.records, g.regrouped, _share(g.regrouped, g.records)) for g in _shown(found)],
        ),
        (
            "Decisions that the links do not follow",
            ("decision", "made on", "says", "view", "before", "after"),
            [
                (d.decision_id, d.made_at[:10], d.kind.replace("_", " "), d.view, _broken(d.before), _broken(d.after))
                for d in sorted(found.contradicted, key=lambda d: (not d.after, d.before, d.decision_id))[:NAMED]
            ],
        ),
        (
            "Flagged pairs",
            ("rule", "before", "after", "appeared", "vanished", "other strength"),
            [(f.rule, f.before, f.after, f.appeared, f.vanished, f.restrengthened) for f in found.flags],
        ),
        (
            "Risk tiers",
            ("before", "after", "persons"),
            [(t.before or "not scored", t.after or "not scored", t.persons) for t in found.tiers],
        ),
    ]  # fmt: skip
    return [table for table in told if table[2]]


def persons_in_words(p: Persons) -> str:
    """What became of the persons of a view, in one sentence."""
    if p.before == p.after == p.unchanged:
        return f"{plural(p.after, 'person')}, all with the very same records."
    said = [
        f"{p.merged:,} merged into {p.merged_into:,}" if p.merged else "",
        f"{p.split:,} split into {p.split_into:,}" if p.split else "",
        f"{p.created:,} created" if p.created else "",
        f"{p.retired:,} retired" if p.retired else "",
        f"{p.grown:,} gained new records" if p.grown else "",
        f"{p.shrunk:,} lost records that are gone" if p.shrunk else "",
    ]
    return f"{p.before:,} persons became {p.after:,}: {', '.join(filter(None, said))}; {p.unchanged:,} unchanged."


def _decisions(found: Differences) -> Iterator[str]:
    """Decisions are counted once, however many views contradict them."""
    before = {each.decision_id for each in found.contradicted if each.before}
    after = {each.decision_id for each in found.contradicted if each.after}
    if after - before:
        yield f"Decisions newly contradicted: {len(after - before)} of {found.decisions} (in all {len(after)} are)."
    elif found.decisions:
        yield f"Of {plural(found.decisions, 'decision')} on these records none is newly contradicted."
    if before - after:
        yield f"Contradicted before, followed now: {plural(len(before - after), 'decision')}."


def touched(group: Group) -> str:
    """A group and how much of it was regrouped."""
    share = _share(group.regrouped, group.records)
    return f"{group.by} {group.value}, {share} of {group.records:,} records regrouped"


def _shown(found: Differences) -> list[Group]:
    """Of each view and kind of group, the three that changed most."""
    kinds = dict.fromkeys((group.view, group.by) for group in found.groups)
    return [
        group
        for view, by in kinds
        for group in [
            g for g in found.groups if (g.view, g.by) == (view, by) and g.regrouped and g.records >= LEAST_GROUP
        ][:3]
    ]


def _figure(what: str, before: Any, after: Any) -> tuple[Any, ...]:
    numbers = all(isinstance(value, int | float) for value in (before, after))
    return what, _said(before), _said(after), f"{after - before:+,.6g}" if numbers and before != after else ""


def _said(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _broken(contradicts: bool) -> str:
    return "contradicted" if contradicts else "followed"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "-"
