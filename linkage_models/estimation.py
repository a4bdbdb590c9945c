"""Precision and recall of the links where nobody knows the truth.

Wrong and missing links are foretold by the calibrated probabilities (of linked pairs that are wrong, of pairs left
apart that are right) and by how such foretelling came out on labelled training boroughs, as Belin and Rubin calibrate
false match rates by other sites (JASA 1995). What the site itself gives away corrects that: wrong links show as strong
pairs between two records of a source that holds each person once (the idea of Blakely and Salmond, Int J Epidemiol
2002), and missing links as pairs that share a number unique to a person and would not have linked without it, a second,
independent capture. Counts are Poisson around a rate, the rate is Gamma around its forecast, so the update is exact.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
from scipy.special import gammaincinv

from linkage_models.thresholds import INTERVAL_LEVEL, LEAST_SITE_SD, LINK_WEIGHT, UNTRIED_CLUMP, UNTRIED_SITE_SD

NUMBERS = ("nino", "nhs_number")


@dataclass(frozen=True)
class Site:
    """What can be counted without a truth, in pairs of records.

    `links` lie in one cluster; `wrong` and `missed` are the sums of the probabilities that speak against the
    clustering; `violations` are strong pairs that a duplicate-free source rules out; `controls` share a number,
    `controls_missed` of them weigh too little without it.
    """

    links: int
    wrong: float
    missed: float
    violations: int
    controls: int
    controls_missed: int


@dataclass(frozen=True)
class Side:
    """How a forecast came out on labelled sites: `ratio` of true to foretold, `sd` of its logarithm between sites; true
    errors for each `sign` that a site gives away (None: it gives none), `sign_sd` likewise; `clump`, the pairs that err
    together (the variance of the errors over their mean)."""

    ratio: float
    sd: float
    sign: float | None
    sign_sd: float
    clump: float

    def posterior(self, foretold: float, signs: int, seen: bool) -> tuple[float, float]:
        """Mean and variance of the errors at a site; `seen` says whether it could have given signs."""
        shape = 1 / self.sd**2
        mean = max(self.ratio * foretold, 0.5)
        rate = shape / mean
        if self.sign and seen:
            # a sign is worth less than one independent count: they come in clumps, and mean not the same at every site
            worth = 1 / (self.clump + signs * self.sign_sd**2)
            shape, rate = shape + worth * signs, rate + worth / self.sign
        mean = shape / rate
        return mean, self.clump * mean + mean**2 / shape


@dataclass(frozen=True)
class Transfer:
    """Both sides as fitted on labelled sites; `sites` how many."""

    wrong: Side
    missed: Side
    sites: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def of(read: dict[str, Any]) -> "Transfer":
        return Transfer(Side(**read["wrong"]), Side(**read["missed"]), read["sites"])


@dataclass(frozen=True)
class Estimate:
    """Pair precision and recall with the ends of their interval (INTERVAL_LEVEL)."""

    precision: float
    precision_low: float
    precision_high: float
    recall: float
    recall_low: float
    recall_high: float


def untried() -> Transfer:
    """For a model that no labelled site has tried: forecasts at their word, and far from sure."""
    side = Side(1.0, UNTRIED_SITE_SD, None, UNTRIED_SITE_SD, UNTRIED_CLUMP)
    return Transfer(side, side, 0)


def survey(con: duckdb.DuckDBPyConnection, edges: str, clusters: str, records: str, settings: dict[str, Any]) -> Site:
    """Count a site: `edges` as linkage.edge, `clusters` (record_id, cluster), `records` with one_person_key; `settings`
    are those of the model that scored."""
    compared = {each["output_column_name"]: each["comparison_levels"] for each in settings["comparisons"]}
    bits = {name: _bits(compared[name]) for name in NUMBERS if name in compared}
    shares = {name: f"e.gamma_{name} = {top}" for name, (top, _) in bits.items()}
    blind = " ".join(f"- CASE WHEN {shares[name]} THEN {weight} ELSE 0 END" for name, (_, weight) in bits.items())
    shared = " OR ".join(shares.values()) or "false"
    ((wrong, missed, violations, controls, controls_missed),) = con.execute(
        f"""SELECT coalesce(sum(1 - e.match_probability) FILTER (l.cluster = r.cluster), 0),
            coalesce(sum(e.match_probability) FILTER (l.cluster <> r.cluster), 0),
            count(*) FILTER (x.one_person_key = y.one_person_key AND e.match_weight >= {LINK_WEIGHT}),
            count(*) FILTER ({shared}), count(*) FILTER (({shared}) AND e.match_weight {blind} < {LINK_WEIGHT})
        FROM {edges} e JOIN {clusters} l ON l.record_id = e.record_l JOIN {clusters} r ON r.record_id = e.record_r
        JOIN {records} x ON x.record_id = e.record_l JOIN {records} y ON y.record_id = e.record_r"""
    ).fetchall()
    ((links,),) = con.execute(
        f"SELECT coalesce(sum(n * (n - 1) // 2), 0)::BIGINT"
        f" FROM (SELECT count(*) AS n FROM {clusters} GROUP BY cluster)"
    ).fetchall()
    return Site(links, wrong, missed, violations, controls, controls_missed)


@dataclass(frozen=True)
class Errors:
    """What the truth says of a labelled site: wrong links and missed true pairs, and how they come in clumps: the mean
    number of errors in the cluster, or of the person, of an error."""

    wrong: int
    missed: int
    wrong_clump: float
    missed_clump: float


def errors_of(con: duckdb.DuckDBPyConnection, judged: str) -> Errors:
    """Count the errors of a table that rates.judge wrote."""

    def counted(group: str, of_group: str) -> tuple[int, float]:
        ((errors, squares),) = con.execute(
            f"""SELECT coalesce(sum(x), 0)::BIGINT, coalesce(sum(x * x), 0) FROM (
                SELECT sum({of_group} - in_both) / 2 AS x FROM {judged} GROUP BY {group})"""
        ).fetchall()
        return errors, squares / errors if errors else 1.0

    wrong, wrong_clump = counted("cluster", "in_cluster")
    missed, missed_clump = counted("person", "of_person")
    return Errors(wrong, missed, wrong_clump, missed_clump)


def fit_transfer(sites: Sequence[tuple[Site, Errors]]) -> Transfer:
    """From labelled sites: what was counted on each without the truth, and what the truth says."""
    wrong = [(site.wrong, errors.wrong, site.violations, errors.wrong_clump) for site, errors in sites]
    missed = [(site.missed, errors.missed, site.controls_missed, errors.missed_clump) for site, errors in sites]
    return Transfer(_fit_side(wrong), _fit_side(missed), len(sites))


def _fit_side(sites: Sequence[tuple[float, int, int, float]]) -> Side:
    """`sites` are (foretold, true, signs, clump). In ratios every site weighs the same, whatever its size."""
    # as an error at any site sees it: a site without one says nothing of clumps
    errors = sum(true for _, true, _, _ in sites)
    clump = sum(true * each for _, true, _, each in sites) / errors if errors else 1.0
    # the mean of the logarithms would take sites without an error for nearly none, where errors come in clumps
    ratio = sum((true + 0.5) / (foretold + 0.5) for foretold, true, _, _ in sites) / len(sites)
    sd = _log_sd([(true, foretold) for foretold, true, _, _ in sites], [0.0] * len(sites), clump)
    given = [(true, signs, clump / (signs + 0.5)) for _, true, signs, _ in sites]
    if not any(signs for _, signs, _ in given):
        return Side(ratio, sd, None, sd, clump)
    sign = sum(true for true, _, _ in given) / sum(signs for _, signs, _ in given)
    sign_sd = _log_sd([(true, signs) for true, signs, _ in given], [chance for *_, chance in given], clump)
    return Side(ratio, sd, sign, sign_sd, clump)


def _log_sd(pairs: Sequence[tuple[float, float]], chance: Sequence[float], clump: float) -> float:
    """The sd of the ratios' logarithms beyond what chance explains."""
    logs = [math.log((above + 0.5) / (below + 0.5)) for above, below in pairs]
    centre = sum(logs) / len(logs)
    spread = sum((each - centre) ** 2 for each in logs) / max(len(logs) - 1, 1)
    explained = sum(clump / (above + 0.5) + more for (above, _), more in zip(pairs, chance, strict=True)) / len(pairs)
    return max(math.sqrt(max(spread - explained, 0.0)), LEAST_SITE_SD)


def estimate(site: Site, transfer: Transfer) -> Estimate:
    """Estimated precision and recall of the links of a site, with intervals."""
    wrong, *wrong_ends = _expected(transfer.wrong.posterior(site.wrong, site.violations, True))
    missed, *missed_ends = _expected(transfer.missed.posterior(site.missed, site.controls_missed, site.controls > 0))
    links = max(site.links, 1)
    right = max(links - wrong, 0.0)
    precision, recall = 1 - min(wrong / links, 1.0), right / (right + missed) if right + missed else 0.0
    low, high = (1 - min(end / links, 1.0) for end in reversed(wrong_ends))
    recall_low, recall_high = (right / (right + end) if right + end else 0.0 for end in reversed(missed_ends))
    return Estimate(precision, low, high, recall, recall_low, recall_high)


def _expected(posterior: tuple[float, float]) -> tuple[float, int, int]:
    """Mean and the ends of the interval of a count, by a Gamma distribution with that mean and variance. The ends are
    whole: where few errors are expected, a site may well have none."""
    mean, variance = posterior
    shape, scale, tail = mean**2 / variance, variance / mean, (1 - INTERVAL_LEVEL) / 2
    low, high = (float(gammaincinv(shape, level)) * scale for level in (tail, 1 - tail))
    return mean, math.floor(low), math.ceil(high)


def _bits(levels: list[dict[str, Any]]) -> tuple[int, float]:
    """Splink's number of the first level, "same", and its match weight."""
    told = [level for level in levels if not level.get("is_null_level")]
    return len(told) - 1, math.log2(told[0]["m_probability"] / told[0]["u_probability"])
