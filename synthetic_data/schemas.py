"""The tables of a world: one schema a frame; dates are plain dates, null means unknown or still open."""

import polars as pl

I, S, D, B, F = pl.Int64, pl.String, pl.Date, pl.Boolean, pl.Float64  # noqa: E741
Schema = dict[str, type[pl.DataType] | pl.DataType]

SCHEMAS: dict[str, Schema] = {
    # one row an LSOA
    "areas": {
        "lsoa": S,
        "lsoa_name": S,
        "msoa": S,
        "ward_code": S,
        "ward_name": S,
        "imd_rank": I,
        "imd_score": F,
        "imd_decile": I,
    },
    # one row a street
    "streets": {"usrn": I, "street": S, "locality": S, "town": S, "ward_code": S, "lsoa": S, "postcode_sector": S},
    # one row a property of the gazetteer
    "properties": {
        "uprn": I,
        "parent_uprn": I,
        "usrn": I,
        "sao_text": S,
        "sao_number": I,
        "sao_suffix": S,
        "pao_text": S,
        "pao_number": I,
        "pao_suffix": S,
        "organisation": S,
        "postcode": S,
        "ward_code": S,
        "lsoa": S,
        "class_code": S,
        "logical_status": I,
        "kind": S,
        "x": F,
        "y": F,
        "latitude": F,
        "longitude": F,
        "start_date": D,
        "end_date": D,
        "successor_uprn": I,
        "built_from": S,
        "band": S,
        "tenure": S,
        "is_dwelling": B,
    },
    # one row a person, living, dead or gone
    "persons": {
        "person_id": I,
        "sex": S,
        "birth_date": D,
        "death_date": D,
        "ethnic_group": S,
        "forename": S,
        "middle": S,
        "surname": S,
        "birth_surname": S,
        "title": S,
        "nino": S,
        "nhs_number": S,
        "phone": S,
        "email": S,
        "documentation_quality": F,
        "twin_of": I,
        "named_after": I,
        "is_student": B,
        "smi": B,
        "carer": B,
        "recent_arrival": B,
    },
    # one row a person and name; the last is open; sex where the name was borne as another sex than now
    "names": {"person_id": I, "forename": S, "middle": S, "surname": S, "sex": S, "from_date": D, "to_date": D},
    # one row a household and home
    "households": {"household_id": I, "uprn": I, "kind": S, "tenure": S, "from_date": D, "to_date": D},
    # one row a person and home; outside the borough uprn and household are null
    "residences": {"person_id": I, "household_id": I, "uprn": I, "from_date": D, "to_date": D, "role": S},
    # one row a council tax account
    "ct_accounts": {
        "account_ref": S,
        "account_cd": S,
        "property_uprn": I,
        "start_date": D,
        "end_date": D,
        "liable_kind": S,
        "company_name": S,
        "forwarding_uprn": I,
    },
    # one row an account, slot and occupant of the slot
    "ct_liable": {
        "account_ref": S,
        "slot": I,
        "party_ref": S,
        "person_id": I,
        "position": I,
        "from_date": D,
        "to_date": D,
    },
    # one row a discount, disregard or exemption
    "ct_discounts": {
        "account_ref": S,
        "kind": S,
        "code": S,
        "person_id": I,
        "from_date": D,
        "to_date": D,
        "percent": F,
    },
    # one row a claim
    "claims": {
        "claim_id": S,
        "claim_type": S,
        "status": I,
        "claimant": I,
        "ctax_account_ref": S,
        "application_date": D,
        "cancel_date": D,
        "weekly_award": F,
    },
    # one row a claim and address
    "claim_houses": {"claim_id": S, "house_id": I, "uprn": I, "from_date": D, "to_date": D},
    # one row a claim, address and person
    "claim_members": {"claim_id": S, "house_id": I, "member_id": I, "person_ref": I, "person_id": I, "relationship": S},
    # one row a tenancy
    "tenancies": {
        "tag_ref": S,
        "uprn": I,
        "prop_ref": S,
        "house_ref": S,
        "tenure": S,
        "start_date": D,
        "end_date": D,
        "rent": F,
    },
    # one row a tenancy and person
    "tenancy_members": {"house_ref": S, "person_no": I, "person_id": I, "relationship": S, "responsible": B},
    # one row an entry of the electoral register, as the register believes
    "electors": {
        "elector_id": S,
        "person_id": I,
        "uprn": I,
        "added_date": D,
        "franchise": S,
        "attainer_date": D,
        "anonymous": B,
    },
    # one row an entry that has been taken off the register
    "former_electors": {
        "elector_id": S,
        "person_id": I,
        "uprn": I,
        "added_date": D,
        "removed_date": D,
        "franchise": S,
        "anonymous": B,
    },
    # one row a client of adult social care
    "care_clients": {
        "care_id": S,
        "person_id": I,
        "primary_support_reason": S,
        "accommodation_status": S,
        "has_unpaid_carer": S,
        "client_type": S,
        "uprn": I,
    },
    # one row an event
    "care_events": {
        "care_id": S,
        "event_ref": S,
        "event_type": S,
        "start_date": D,
        "end_date": D,
        "service_type": S,
        "service_component": S,
        "delivery_mechanism": S,
        "outcome": S,
        "description": S,
        "unit_cost": F,
        "planned_units": F,
    },
    # one row an adult who asked for care and got advice only
    "care_enquirers": {"care_id": S, "person_id": I, "uprn": I, "from_date": D},
    # one row a person and address in the case management system
    "care_addresses": {"address_ref": S, "care_id": S, "uprn": I, "start_date": D, "end_date": D},
    # one row a payment for care
    "care_payments": {
        "payment_ref": S,
        "care_id": S,
        "kind": S,
        "provider_ref": S,
        "start_date": D,
        "end_date": D,
        "amount": F,
    },
    # one row a pupil of a state school
    "pupils": {
        "pupil_id": S,
        "person_id": I,
        "upn": S,
        "uln": I,
        "school": S,
        "year": I,
        "uprn": I,
        "start_date": D,
        "end_date": D,
    },
    # one row a pupil and adult to call
    "pupil_contacts": {"pupil_id": S, "contact_id": S, "person_id": I, "priority": I, "relationship": S},
    # one row a pupil and term
    "pupil_terms": {
        "pupil_id": S,
        "term": I,
        "start_date": D,
        "end_date": D,
        "possible": I,
        "authorised": I,
        "unauthorised": I,
    },
    # one row a pupil and special educational need
    "pupil_needs": {"pupil_id": S, "rank": I, "need": S, "provision": S, "start_date": D},
    # one row a spell of a patient
    "patient_spells": {
        "spell_ref": S,
        "person_id": I,
        "setting": S,
        "reason": S,
        "start_date": D,
        "end_date": D,
        "cost": F,
    },
    # one row a patient: the supplier's pseudonym, and whether the council may know whose it is
    "patient_numbers": {"person_id": I, "pseudonym": S, "birth_year": I, "asked": B},
    # one row a child and episode of need
    "children_in_need": {
        "child_id": S,
        "person_id": I,
        "upn": S,
        "referral_date": D,
        "closure_date": D,
        "referrer": S,
        "need": S,
        "abuse": S,
        "plan_start": D,
        "plan_end": D,
        "uprn": I,
    },
    # one row a looked-after child and episode of care
    "placements": {
        "child_id": S,
        "person_id": I,
        "start_date": D,
        "end_date": D,
        "reason": S,
        "legal_status": S,
        "place": S,
    },
    # one row a young person whom the youth service follows
    "young_people": {
        "young_id": S,
        "person_id": I,
        "upn": S,
        "uln": I,
        "activity": S,
        "start_date": D,
        "uprn": I,
    },
    # one row a registered death
    "death_registrations": {"registration_id": S, "person_id": I, "death_date": D, "registered_date": D, "uprn": I},
    # one row a person at risk, month (its last day) and hazard: the true probability, and whether it happened
    "hazards": {"person_id": I, "month": D, "hazard": S, "probability": F, "happened": B},
    # one row an account and year whose bill went unpaid; part: of a year; unpaid: of the charge
    "ct_arrears": {"account_ref": S, "fin_year": I, "raised_date": D, "settled_date": D, "part": F, "unpaid": F},
    # one row a period in which too much benefit was paid; from_award: taken back week by week
    "overpayments": {
        "overpayment_ref": S,
        "claim_id": S,
        "paid_from": D,
        "paid_to": D,
        "cause": S,
        "amount": F,
        "from_award": B,
        "raised_date": D,
        "settled_date": D,
    },
    # one row a tenancy and time in which it was behind with the rent
    "rent_arrears": {"tag_ref": S, "amount": F, "raised_date": D, "settled_date": D},
    # one row an issue of a badge, permit or pass
    "permits": {
        "permit_ref": S,
        "kind": S,
        "person_id": I,
        "vehicle": S,
        "uprn": I,
        "start_date": D,
        "end_date": D,
        "cancelled_date": D,
    },
    # one row an account of a citizen and day on which its details were looked over; turn 2: a person's second account
    "citizen_accounts": {"account_id": S, "person_id": I, "turn": I, "uprn": I, "opened": D, "updated": D},
    # one row an application for a council home
    "register_applications": {
        "application_ref": S,
        "uprn": I,
        "applied": D,
        "closed": D,
        "open_status": S,
        "outcome": S,
        "band": S,
        "homeless": B,
        "sensitive": B,
        "owns_property": B,
    },
    # one row a person of such an application
    "register_people": {"application_ref": S, "person_no": I, "person_id": I, "relationship": S},
    # one row an applicant for a right to buy
    "rtb_applications": {
        "rtb_ref": S,
        "applicant_no": I,
        "tag_ref": S,
        "person_id": I,
        "uprn": I,
        "applied": D,
        "stage": S,
        "stage_date": D,
        "discount": F,
    },
    # one row a letting begun lately
    "lettings_log": {
        "tag_ref": S,
        "prop_ref": S,
        "uprn": I,
        "tenure": S,
        "start_date": D,
        "rent": F,
        "lead_age": I,
        "lead_sex": S,
        "household": I,
        "children": I,
    },
    # one row a registered birth, and one a person named in it
    "birth_registrations": {"registration_id": S, "birth_date": D, "registered_date": D, "uprn": I, "place": S},
    "birth_parties": {"registration_id": S, "party": S, "person_id": I},
    # one row a marriage, and one a person who married; intended: the surname to be borne after, where told
    "marriages": {"marriage_id": S, "marriage_date": D},
    "marriage_parties": {"marriage_id": S, "party_no": I, "person_id": I, "intended": S, "uprn": I},
    # one row a death, coded for statistics
    "mortality": {
        "registration_id": S,
        "person_id": I,
        "death_date": D,
        "registered_date": D,
        "uprn": I,
        "cause": S,
        "place": S,
    },
    # one row a business rates account
    "rates_accounts": {
        "account_ref": S,
        "uprn": I,
        "kind": S,
        "person_id": I,
        "company_name": S,
        "trading_as": S,
        "description": S,
        "started": D,
        "rateable_value": F,
        "contact_uprn": I,
    },
    # one row a relief of such an account
    "rates_reliefs": {"account_ref": S, "code": S, "percent": F, "start_date": D, "end_date": D},
    # one row a protected person and flag
    "protected": {"person_id": I, "flag": S},
    # one row a planted case or look-alike
    "planted": {
        "case_id": S,
        "kind": S,
        "guilty": B,
        "rule": S,
        "subject_source": S,
        "subject_ref": S,
        "other_source": S,
        "other_ref": S,
        "person_ids": pl.List(pl.Int64),
        "uprns": pl.List(pl.Int64),
        "note": S,
    },
}

# rows of rolls and of attendance that only deliveries of earlier months show
SCHEMAS |= {f"former_{name}": SCHEMAS[f"pupil_{name}"] for name in ("contacts", "terms")}
SCHEMAS |= {"former_pupils": SCHEMAS["pupils"]}
