"""The codes that acknowledgements tell faults with, in our own words, by the list they are of."""

from __future__ import annotations

WORDS = {
    "0085": {
        "2": "syntax version or level not supported", "7": "interchange recipient not actual recipient",
        "12": "invalid value", "13": "something mandatory is missing", "14": "value not supported in this position",
        "15": "not supported in this position", "16": "too many constituents", "17": "no agreement",
        "18": "unspecified error", "19": "invalid decimal notation", "20": "character invalid as service character",
        "21": "invalid character", "22": "invalid service character", "23": "unknown interchange sender",
        "24": "too old", "25": "test indicator not supported", "26": "duplicate detected",
        "27": "security function not supported", "28": "references do not match", "29": "control count does not match",
        "30": "groups and messages are mixed", "31": "more than one message type in a group", "32": "lower level empty",
        "33": "invalid occurrence outside message or group", "34": "no nesting of repeats", "35": "too many repeats",
        "36": "too many repeats of a segment group", "37": "invalid type of characters",
        "38": "missing digit before decimal sign", "39": "data element too long", "40": "data element too short",
        "41": "permanent communication network error", "42": "temporary communication network error",
        "43": "unknown interchange recipient", "45": "trailing separator", "46": "character set not supported",
    },
    "I18": {
        "000": "no error", "001": "control numbers of header and trailer differ", "002": "standard not supported",
        "003": "version of the controls not supported", "004": "invalid segment terminator",
        "005": "invalid qualifier of the sender id", "006": "invalid sender id",
        "007": "invalid qualifier of the receiver id", "008": "invalid receiver id", "009": "unknown receiver id",
        "010": "invalid authorization qualifier", "011": "invalid authorization",
        "012": "invalid security qualifier", "013": "invalid security information", "014": "invalid date",
        "015": "invalid time", "016": "invalid standards identifier", "017": "invalid version",
        "018": "invalid control number", "019": "invalid request for an acknowledgement",
        "020": "invalid test indicator", "021": "wrong number of groups", "022": "invalid control structure",
        "023": "premature end of file", "024": "invalid content", "025": "duplicate control number",
        "026": "invalid element separator", "027": "invalid component separator",
        "028": "invalid date of deferred delivery", "029": "invalid time of deferred delivery",
        "030": "invalid code of that time", "031": "invalid grade of service",
    },
    "716": {
        "1": "functional group not supported", "2": "group version not supported", "3": "group trailer missing",
        "4": "group control numbers differ", "5": "wrong number of transaction sets",
        "6": "invalid group control number", "19": "group control number not unique",
    },
    "718": {
        "1": "transaction set not supported", "2": "transaction set trailer missing", "3": "control numbers differ",
        "4": "wrong number of segments", "5": "one or more segments in error", "6": "invalid set identifier",
        "7": "invalid control number", "23": "control number not unique in the group",
        "I5": "one or more segments break the implementation guide", "I6": "implementation guide not supported",
    },
    "720": {
        "1": "unrecognised segment", "2": "unexpected segment", "3": "required segment missing",
        "4": "loop occurs too often", "5": "segment occurs too often", "6": "segment not in this transaction set",
        "7": "segment not in its place", "8": "segment has data element errors",
        "I4": "segment not used by the implementation guide", "I6": "segment missing that another one requires",
        "I7": "loop occurs too seldom", "I8": "segment occurs too seldom",
        "I9": "segment not used where another one stands",
    },
    "723": {
        "1": "required data element missing", "2": "conditionally required data element missing",
        "3": "too many data elements", "4": "data element too short", "5": "data element too long",
        "6": "invalid character", "7": "invalid code value", "8": "invalid date", "9": "invalid time",
        "10": "exclusion condition violated", "12": "too many repetitions", "13": "too many components",
        "I6": "code value not used by the implementation guide", "I9": "data element missing that another one requires",
        "I10": "data element not used by the implementation guide", "I11": "too few repetitions",
        "I12": "value not of the form that the implementation guide wants",
        "I13": "data element not used where another one stands",
    },
}  # fmt: skip


def words(code_list: str, code: str) -> str:
    """The code and what it means: ``29 (control count does not match)``."""
    known = WORDS.get(code_list, {}).get(code)
    return f"{code} ({known})" if known else code
