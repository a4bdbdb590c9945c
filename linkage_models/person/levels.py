"""A comparison of two records, level by level, and what is known of each level before training."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Level:
    """One level: the condition, in words, and what is known of it before training.

    `weight` fixes log2(m/u); `u` fixes u; `most` is the most of matches that training may put there; `m` stands where
    training saw no pair at the level; `share` is about what part of matches reach it; `discount` bits are taken off
    after training, or added if below 0; `local` marks levels whose u falls as the population grows. m of a level for
    pairs of which one is `unknown` (SQL of a record) is its share of these pairs: what is unknown tells nobody apart.
    `by_chance` names the part of a name that two people share the oftener, the fewer names a place has, where no `term`
    tells it.
    """

    words: str
    condition: str
    weight: float | None = None
    u: float | None = None
    m: float = 1e-3
    share: float = 0.0
    discount: float = 0.0
    term: str | None = None
    local: bool = False
    most: float = 1.0
    unknown: str | None = None
    by_chance: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Levels in order, after the null level; `needs` are the columns without which it is left out. `among`: by other
    comparisons the words of levels, and u is the share among random pairs at these, where what two people share goes
    with what they share there."""

    name: str
    needs: tuple[str, ...]
    null: str
    levels: tuple[Level, ...] = field(default_factory=tuple)
    null_words: str = "not known for both"
    among: dict[str, tuple[str, ...]] = field(default_factory=dict)
