"""The one shape that every body of ours has, recognised without parsing it: keys sorted, each once, no blanks.

Nearly every entry that ever comes is sound, and a parse costs four times what this costs. The expression accepts a text
only if it is valid JSON in which each of the groups is the value of that very key at the top; it need not accept all
that is valid. What it does not recognise is parsed (`storage.log.chain`), and only there is anything called wrong.
A property test holds the groups to the parse. Imports nothing of ours.
"""

from __future__ import annotations

import re

_TEXT = r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_PLAIN = r'[^"\\\x00-\x1f]*+'
"""The inside of a string without any escape: as text it is the value itself."""
_NAME = r'[^"\\\x00-\x1f]++'
"""The same, not empty: an empty group is one that is not there."""
_HASH = "[0-9a-f]{64}"
_NUMBER = "[1-9][0-9]{0,15}+"
_SCALAR = rf"(?:{_TEXT}|-?(?:0|{_NUMBER})(?![0-9.eE])|true|false|null)"


def _list_of(item: str) -> str:
    return rf"\[(?:{item}(?:,{item})*+)?+\]"


def _object_of(item: str) -> str:
    return rf"\{{(?:{_TEXT}:{item}(?:,{_TEXT}:{item})*+)?+\}}"


_FLAT = rf"(?:{_SCALAR}|{_list_of(_SCALAR)}|{_object_of(_SCALAR)})"
_DEEP = rf"(?:{_SCALAR}|{_list_of(_FLAT)}|{_object_of(_FLAT)})"
_OBJECT = _object_of(_DEEP)
_ROW = rf'\["[a-z_]++","{_PLAIN}","{_HASH}"\]'


def _maybe(key: str, value: str) -> str:
    return rf'(?:"{key}":{value},)?+'


_OPERATOR = (
    rf'\{{("action":{_TEXT},"actor":{_object_of(_SCALAR)},{_maybe("after", _OBJECT)}"at":{_TEXT},'
    rf'{_maybe("before", _OBJECT)}"change":{_TEXT},{_maybe("data", _OBJECT)}"ip":{_TEXT},)'
    rf'"log":"operator","prev":"({_HASH})",({_maybe("reason", _TEXT)})'
    rf'(?:"ref":\{{"hash":"({_HASH})","log":"tenant:({_NAME})","seq":({_NUMBER})\}},)?+'
    rf'({_maybe("request", _TEXT)})"rows":({_list_of(_ROW)}),'
    rf'(?:"seen":\{{"hash":"{_HASH}","seq":(?:0|{_NUMBER})\}},)?+"seq":({_NUMBER})'
    rf'((?:,"session":{_TEXT})?+(?:,"target":{_TEXT})?+(?:,"tenant":"({_NAME})")?+(?:,"ticket":{_TEXT})?+,"v":1\}})'
)
operator_entries = re.compile(f"(?m)^{_OPERATOR}$").findall
"""The groups of each line that is recognised: (1) all before `log`; (2) `prev`; (3) `reason`; (4, 5, 6) `ref`: hash,
tenant, number; (7) `request`; (8) `rows`; (9) `seq`; (10) all after it, in which (11) `tenant`. 1, 3, 7 and 10 are text
as it stands, commas included; what is not there is "". Many lines at once cost less than each by itself."""

rows_listed = re.compile(r'\["([^"]*+)","([^"]*+)","([^"]*+)"\]').findall
"""(table, key, sha256 in hex) of each of the rows in group 8."""


def rows_counted(rows: str) -> int:
    """How many rows a group 8 lists: no name, key or hash holds a quotation mark."""
    return rows.count('","') // 2


def twin_text(groups: tuple[str, ...], prev: str) -> str:
    """The body of the twin of an operator entry with these groups, as its writer composes it after the entry with the
    hash `prev`: the same but for `log`, `prev`, `ref`, `seq`, and without `rows` and `seen`."""
    start, _, reason, _, tenant, twin_seq, request, _, seq, end, _ = groups
    return (
        f'{{{start}"log":"tenant:{tenant}","prev":"{prev}",{reason}"ref":{{"log":"operator","seq":{seq}}},'
        f'{request}"seq":{twin_seq}{end}'
    )
