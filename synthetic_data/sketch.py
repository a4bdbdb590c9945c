"""A first sketch of every frame: right columns, plain contents."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from synthetic_data.frames import SCHEMAS
from synthetic_data.randomness import stream


def sketch_frames(people: int, seed: int, as_of: date) -> dict[str, pl.DataFrame]:
    rng = stream(seed, "sketch")
    H = people // 2
    days = lambda lo, hi, n: [as_of - timedelta(days=int(d)) for d in rng.integers(lo, hi, n)]  # noqa: E731
    frm = {k: pl.DataFrame(schema=v) for k, v in SCHEMAS.items()}
    wards = ["E05002212", "E05002218"]

    def put(name: str, **cols: object) -> None:
        n = max(len(c) for c in cols.values() if not isinstance(c, str) and hasattr(c, "__len__"))
        data = {}
        for c, t in SCHEMAS[name].items():
            v = cols.get(c)
            data[c] = pl.Series(c, list(v), dtype=t, strict=False) if v is not None and hasattr(v, "__len__") and not isinstance(v, str) else pl.Series(c, [v] * n, dtype=t)
        frm[name] = pl.DataFrame(data)

    put("areas", lsoa=["E01015814", "E01015815"], lsoa_name=["Southend-on-Sea 001A", "Southend-on-Sea 001B"], msoa=["E02003280"] * 2,
        ward_code=wards, ward_name=["Belfairs", "Milton"], imd_rank=[20000, 3000], imd_score=[14.5, 36.6], imd_decile=[6, 1])
    put("streets", usrn=[16100001, 16100002], street=["ORCHARD ROAD", "CLIFF AVENUE"], locality=[None, "WESTCLIFF-ON-SEA"], town="SOUTHEND-ON-SEA",
        ward_code=wards, lsoa=["E01015814", "E01015815"], postcode_sector=["SS2 4", "SS0 7"])
    i = np.arange(H)
    uprn = 999000000001 + i
    st = i % 2
    put("properties", uprn=uprn, usrn=16100001 + st, pao_number=i // 2 + 1, postcode=[["SS2 4KM", "SS0 7OV"][s] for s in st], ward_code=[wards[s] for s in st],
        lsoa=[["E01015814", "E01015815"][s] for s in st], class_code="RD04", logical_status=1, kind="house", x=588000.0 + i, y=185000.0 + i, latitude=51.54, longitude=0.71,
        start_date=[date(1990, 1, 1)] * H, band="C", tenure=["owned" if k % 4 else "council" for k in i], is_dwelling=True)
    p = np.arange(people)
    fn, sn = np.array(["JOHN", "MARY", "AHMED", "ZOFIA", "SIÂN"]), np.array(["Smith", "O'Brien", "Khan", "Nowak", "Lloyd-Jones", "Brown"])
    f = fn[rng.integers(0, 5, people)]
    s = sn[rng.integers(0, 6, people)]
    hh = p % H
    put("persons", person_id=p + 1, sex=["M" if k % 2 else "F" for k in p], birth_date=days(365 * 1, 365 * 90, people), ethnic_group="white_british", forename=[x.title() for x in f],
        middle="Ann", surname=s, birth_surname=s, title="MR", nino=[f"ZZ{k:06d}T" for k in p], nhs_number=["9990000018"] * people, phone="07700900123", email="a.b@example.org",
        documentation_quality=rng.random(people), is_student=False, smi=False, carer=False, recent_arrival=False)
    put("names", person_id=p + 1, forename=[x.title() for x in f], middle="Ann", surname=s, from_date=[date(1950, 1, 1)] * people)
    put("households", household_id=i + 1, uprn=uprn, kind="couple", tenure=["owned" if k % 4 else "council" for k in i], from_date=days(100, 5000, H))
    put("residences", person_id=p + 1, household_id=hh + 1, uprn=uprn[hh], from_date=days(100, 5000, people), role=["head" if k < H else "partner" for k in p])
    acc = [f"{7000000 + k}" for k in i]
    put("ct_accounts", account_ref=acc, account_cd="3", property_uprn=uprn, start_date=days(100, 3000, H), liable_kind=["company" if k % 50 == 7 else "person" for k in i],
        company_name=["ACME LETTINGS LTD" if k % 50 == 7 else None for k in i])
    put("ct_liable", account_ref=acc, slot=1, party_ref=[f"{900000 + k}" for k in i], person_id=[None if k % 50 == 7 else int(k) + 1 for k in i], position=7, from_date=days(100, 3000, H))
    put("ct_discounts", account_ref=acc[:H // 3], kind="D", code="SPD", from_date=days(100, 2000, H // 3), percent=25.0)
    cl = [f"C{k:06d}" for k in i[: H // 4]]
    put("claims", claim_id=cl, claim_type="CTR", status=1, claimant=p[: H // 4] + 1, ctax_account_ref=acc[: H // 4], application_date=days(100, 900, H // 4), weekly_award=20.0)
    put("claim_houses", claim_id=cl, house_id=1, uprn=uprn[: H // 4], from_date=days(100, 900, H // 4))
    put("claim_members", claim_id=cl, house_id=1, member_id=1, person_ref=1, person_id=p[: H // 4] + 1, relationship="C")
    ten = i[::4]
    put("tenancies", tag_ref=[f"{k:06d}/01" for k in ten], uprn=uprn[ten], prop_ref=[f"P{k:07d}" for k in ten], house_ref=[f"H{k:07d}" for k in ten], tenure="SEC", start_date=days(100, 4000, len(ten)), rent=101.5)
    put("tenancy_members", house_ref=[f"H{k:07d}" for k in ten], person_no=1, person_id=ten + 1, relationship="tenant", responsible=True)
    put("electors", elector_id=[f"E{k:07d}" for k in p], person_id=p + 1, uprn=uprn[hh], added_date=days(10, 3000, people), anonymous=False)
    put("care_clients", care_id=["L100001", "L100002"], person_id=[1, 2], primary_support_reason="Physical Support: Personal care support", accommodation_status="Owner occupier or shared ownership scheme",
        has_unpaid_carer="No", client_type="Service User", uprn=uprn[:2])
    put("care_events", care_id=["L100001", "L100001", "L100002"], event_ref=["V1", "V2", "V3"], event_type=["Request", "Service", "Assessment"], start_date=days(100, 300, 3), outcome="Progress to assessment", description="x")
    put("death_registrations", registration_id=["R1"], person_id=[3], death_date=[as_of - timedelta(days=90)], registered_date=[as_of - timedelta(days=80)], uprn=uprn[:1])
    return frm
