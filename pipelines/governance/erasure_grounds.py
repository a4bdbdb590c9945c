"""On what an erasure is asked for, and on what it may be refused; the refusal itself, told and recorded."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from pipelines.faults import BoroughlinkError
from pipelines.governance import approvals, audit
from pipelines.governance.actors import Actor
from pipelines.governance.approvals import MIN_REASON, ApprovalRefused, Request
from pipelines.operations import Operations

KIND = "erasure"
#: The audit's word for one that was carried out.
ERASED = "erasure carried out"
_TEXTS = yaml.safe_load(Path(__file__).with_name("erasure_grounds.yaml").read_text(encoding="utf-8"))
#: By short name, what the article says.
ERASED_BECAUSE: Mapping[str, str] = _TEXTS["erased_because"]
KEPT_BECAUSE: Mapping[str, str] = _TEXTS["kept_because"]
#: Events of the audit that name the ground of a request, and of its refusal.
GROUND, EXEMPT = "erasure ground", "erasure exempt"


def refuse_erasure(operations: Operations, who: Actor, request_id: str, exemption: str, reason: str) -> Request:
    """Turn an erasure down as another person: the exemption stands in the audit, the reason sealed with the request.

    Raises BoroughlinkError for no exemption of the law, or no reason.
    """
    if exemption not in KEPT_BECAUSE:
        raise BoroughlinkError(f"Say on what it is refused: {', '.join(KEPT_BECAUSE)}.")
    if len(reason.strip()) < MIN_REASON:
        raise BoroughlinkError("Say in a sentence why it is refused: the person is told that (Article 12(4)).")
    if approvals.find(operations, request_id).kind != KIND:
        raise ApprovalRefused(f"Request {request_id} is for another act: see `boroughlink requests`.")
    given = approvals.refuse(operations, who, request_id)
    kept = {**given.said, "refused because": KEPT_BECAUSE[exemption], "refused with": reason.strip()}
    operations.reseal_request(request_id, json.dumps(kept))
    audit.record(operations, who.login, EXEMPT, given.object, request=request_id, ground=exemption)
    return given
