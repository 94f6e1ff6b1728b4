"""The code that was meant by another name."""

import pytest

from cfmock.base.errors import InvalidValue
from cfmock.protocol.faults import catalogue
from cfmock.protocol.faults.catalogue import error_code, likely_codes
from cfmock.protocol.spec.model import load

CODES = load().errors

MEANT = {
    "Throttling": "ResourceThrottled",
    "Throttling.User": "ResourceThrottled",
    "ThrottlingException": "ResourceThrottled",
    "TooManyRequests": "ResourceThrottled",
    "ServiceUnavailable": "InternalServerError",
    "InternalError": "InternalServerError",
    "InvalidParameter": "InvalidArgument",
    "InvalidParameter.Name": "InvalidArgument",
    "MissingParameter": "MissingRequiredParams",
    "SignatureDoesNotMatch": "SignatureNotMatch",
    "InvalidAccessKeyId.NotFound": "InvalidAccessKeyID",
    "InvalidTimeStamp.Expired": "RequestTimeTooSkewed",
    "InvalidAction.NotFound": "ActionNotSupported",
    "Forbidden.RAM": "AccessDenied",
    "NoPermission": "AccessDenied",
    "FlowNotFound": "FlowNotExists",
    "ExecutionDoesNotExist": "ExecutionNotExists",
}


@pytest.mark.parametrize("word", MEANT)
def test_a_name_that_other_products_use_stands_for_a_code_of_this_service(word: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        error_code(CODES)(word)
    assert str(raised.value) == f"'{word}' is not an error code (did you mean '{MEANT[word]}'?)"


def test_what_may_be_either_is_said_so_and_what_is_like_nothing_has_no_suggestion() -> None:
    assert likely_codes("NotFound", CODES) == ("FlowNotExists", "ExecutionNotExists")
    assert likely_codes("Zzz", CODES) == ()
    assert likely_codes(["Throttling"], CODES) == ()


def test_every_other_name_leads_to_documented_codes_and_is_none() -> None:
    assert {code for codes in catalogue._OTHER_NAMES.values() for code in codes} <= CODES.keys()
    assert catalogue._OTHER_NAMES.keys().isdisjoint(map(str.casefold, CODES))
