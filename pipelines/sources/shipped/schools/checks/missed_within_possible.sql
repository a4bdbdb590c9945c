-- one row per pupil and term; fails with more half days missed than possible
SELECT pupilid, term, termstart, authorised + unauthorised > possible AS fails FROM ${attendance}
