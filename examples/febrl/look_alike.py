"""Invented tables of FEBRL's layout, for a machine without a network: the same path, another country's names.

Far easier than FEBRL: one slip in every third copy. Good for seeing the commands work, not for judging a linker.
"""

import csv
import io
import random

HEADER = (
    "rec_id", "given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state",
    "date_of_birth", "soc_sec_id",
)  # fmt: skip
_BEGIN, _MIDDLE, _END = "bdfghklmnprstvw", ("a", "e", "i", "o", "u", "ai", "ou"), ("n", "l", "r", "s", "mi", "ra", "so")


def tables(name: str, persons: int, seed: int = 1) -> dict[str, bytes]:
    """CSV by FEBRL's table name: dataset4a and dataset4b, or dataset3 with two records a person."""
    draw = random.Random(seed)
    originals, copies = [], []
    streets, suburbs = [_word(draw, 3) for _ in range(persons // 10)], [_word(draw, 2) for _ in range(40)]
    for number in range(persons):
        born = f"{draw.randint(1920, 2005)}{draw.randint(1, 12):02}{draw.randint(1, 28):02}"
        row = [
            _word(draw, 2), _word(draw, 3), str(draw.randint(1, 200)), f"{draw.choice(streets)} street", "",
            draw.choice(suburbs), str(draw.randint(2000, 2200)), "nsw", born, str(draw.randint(1000000, 9999999)),
        ]  # fmt: skip
        originals.append([f"rec-{number}-org", *row])
        if draw.random() < 1 / 3:
            at = draw.choice((0, 1, 3, 5))
            place = draw.randrange(len(row[at]))
            row[at] = row[at][:place] + draw.choice("aeiou") + row[at][place + 1 :]
        copies.append([f"rec-{number}-dup-0", *row])
    draw.shuffle(copies)
    if name == "febrl3":
        return {"dataset3": _csv(originals + copies)}
    return {"dataset4a": _csv(originals), "dataset4b": _csv(copies)}


def _word(draw: random.Random, syllables: int) -> str:
    return "".join(draw.choice(_BEGIN) + draw.choice(_MIDDLE) for _ in range(syllables)) + draw.choice(_END)


def _csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([HEADER, *rows])
    return text.getvalue().encode()
