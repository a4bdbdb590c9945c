"""The random sample: who is drawn hangs on the run and the pair alone."""

import hashlib

from pipelines.linkage.labelling import Sample
from pipelines.warehouse import scratch_warehouse

PRIME = 1000000007


def test_a_pair_is_drawn_by_the_md5_of_its_names_and_the_run_modulo_a_prime() -> None:
    pairs = [(f"council_tax:{n}/1#1", f"housing:{7 * n}#2") for n in range(50)]
    labels = []
    for left, right in pairs:
        number = int.from_bytes(hashlib.md5(f"{left}|{right}|run".encode()).digest(), "little")
        labels.append({"record_l": left, "record_r": right, "inclusion_probability": number % PRIME / PRIME})
    with scratch_warehouse() as wh:
        sample = Sample("run", "data_quality", "mark")
        assert not any(sample.draws(wh, labels))
        more = [label | {"inclusion_probability": label["inclusion_probability"] + 1e-9} for label in labels]
        assert all(sample.draws(wh, more))
