"""The reason linter (REQ-102, REQ-103): is this a reason, or would it fit any ticket?

It counts substance, in a way that can be said back to a person. A word that would fit any ticket ("customer", "urgent",
"check", "settings") counts nothing; any other word names something and counts one; an identifier (a number, an amount,
a version) counts two; what is said to be wrong counts two ("twice", "never credited", "missing"), or one where it is
only said *that* something fails ("error", "slow"); what the look is to find out counts one. Four points, two of them
by naming something, make a reason. It reads no meaning: an invented story passes, and so does vague prose in a language
whose common words it does not know. The people who approve read the reason too; this only keeps out what says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from app.policy.reason_words import DEVIATION, FAILURE, FUNCTION, GENERIC, LIVE_DATA, PURPOSE
from app.policy.verdict import Finding, Verdict, rule

RULE = "REQ-102"
DISTINCT_WORDS = 5
ENOUGH = 4
NAMED = 2
WHY_NOT_WORDS = 3

_WORD = re.compile(r"[^\W_]+(?:['’.,:/#@&+\-_][^\W_]+)*%?")
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefgh", "poiuytrewq", "lkjhgfdsa", "mnbvcxz")
_VOWELS = frozenset("aeiouyáàâäãåæéèêëíìîïóòôöõøœúùûüýÿ")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the linter says: the verdict, and what would make the reason better, passed or not."""

    verdict: Verdict
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Substance:
    """What a text says beyond what any ticket says."""

    words: frozenset[str]
    named: frozenset[str]
    identifiers: frozenset[str]
    deviations: frozenset[str]
    failures: frozenset[str]
    purposes: frozenset[str]

    @property
    def points(self) -> int:
        wrong = 2 if self.deviations else 1 if self.failures else 0
        return len(self.named) + 2 * len(self.identifiers) + wrong + bool(self.purposes)


def judge(reason: str, ticket: str, earlier_reasons: Collection[str] = ()) -> Judgement:
    """Whether `reason` is specific: not empty, not copied, not the ticket number alone, not what fits any ticket."""
    said = substance(reason, ticket)
    hints = _hints(said)
    if not said.words:
        what = (
            "the reason is only the ticket number" if ticket and ticket.strip() in reason else "the reason is missing"
        )
        return _refused(what, hints)
    if len(said.words) < DISTINCT_WORDS:
        return _refused(f"the reason has fewer than {DISTINCT_WORDS} different words", hints)
    if _flat(reason) in {_flat(earlier) for earlier in earlier_reasons}:
        return _refused("the reason is a copy of an earlier one: say what it is this time, or use “ask again”", hints)
    if len(said.named) + len(said.identifiers) < NAMED or said.points < ENOUGH:
        return _refused(_too_vague(said), hints)
    return Judgement(Verdict((Finding(RULE, True, "the reason is specific"),)), hints)


def explains_why_not(words: str) -> Verdict:
    """REQ-103: why less invasive ways did not do. That the customer asked is no answer to that."""
    said = substance(words, "")
    return rule(
        "REQ-103",
        len(said.words) >= WHY_NOT_WORDS and not _only_asked(said),
        "it says why the less invasive ways did not do",
        "say why the less invasive ways did not do: what they did not show",
    )


def substance(text: str, ticket: str) -> Substance:
    """Count what a text names, apart from the ticket's own number."""
    folded = unicodedata.normalize("NFKC", text).replace("’", "'").casefold()
    own = unicodedata.normalize("NFKC", ticket).strip().casefold()
    if own:
        folded = re.sub(rf"(?<!\w){re.escape(own)}(?!\w)", " ", folded)
    words = _words(folded)
    distinct = frozenset(words)
    identifiers = frozenset(word for word in distinct if any(c.isdigit() for c in word))
    return Substance(
        words=distinct,
        named=frozenset(word for word in distinct - identifiers if _names_something(word)),
        identifiers=identifiers,
        deviations=frozenset(_deviations(words)),
        failures=distinct & FAILURE,
        purposes=distinct & PURPOSE,
    )


def _words(folded: str) -> list[str]:
    """Words in order. Scripts without spaces are counted by character: two or so make a word there."""
    words: list[str] = []
    for found in _WORD.findall(folded):
        if any(unicodedata.name(c, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI")) for c in found):
            words += list(found)
        else:
            words.append(found)
    return words


def _names_something(word: str) -> bool:
    """Not grammar, not what any ticket says, not a mere symptom, not a row of keys."""
    parts = [part for part in re.split(r"['.,:/#@&+\-_]", word) if part]
    if word in FUNCTION or word in DEVIATION or word in FAILURE or word in GENERIC:
        return False
    if all(part in GENERIC or part in FUNCTION for part in parts):
        return False
    return not _is_mash(word)


def _is_mash(word: str) -> bool:
    """Keys struck at random: a piece of a keyboard row, one letter again and again, four letters without a vowel."""
    if len(set(word)) == 1 and len(word) > 1:
        return True
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return len(word) == 1 and word.isascii()
    return any(word in row for row in _KEYBOARD) or (len(word) > 5 and not _VOWELS & set(word))


def _deviations(words: list[str]) -> list[str]:
    """Words that say what is wrong. A bare "not working" says only that something is."""
    found = []
    for position, word in enumerate(words):
        if word in DEVIATION or re.fullmatch(r"(mis|un|over|under|dis|de)[a-z]{5,}(ed|ing|id|es)", word):
            after = words[position + 1 : position + 3]
            if not (_denies(word) and (not after or all(one in GENERIC or one in FUNCTION for one in after))):
                found.append(word)
    return found


def _denies(word: str) -> bool:
    return word in ("not", "no", "cannot", "never", "without") or word.endswith("n't")


def _only_asked(said: Substance) -> bool:
    """ "The customer asked me to log in", in whatever words."""
    asked = {"asked", "asks", "ask", "told", "wants", "wanted", "requested", "said", "request", "requests"}
    return bool(said.words & asked) and not said.named and not said.identifiers


def _too_vague(said: Substance) -> str:
    if _only_asked(said):
        return "that the customer asked for it is not a reason by itself: say what is wrong, and with what"
    naming = sorted(said.named | said.identifiers)
    if len(naming) < NAMED:
        return "the reason would fit any ticket: it names " + (f"only “{naming[0]}”" if naming else "nothing")
    return f"the reason names {' and '.join(naming[:3])}, but not what is wrong or what is to be found out"


def _hints(said: Substance) -> tuple[str, ...]:
    """What is missing: symptom, object, why live data."""
    hints = []
    if not said.deviations and not said.purposes:
        hints.append("symptom: what is seen, and what should be (“shows completed, but the money never arrived”)")
    if len(said.named) < NAMED and not said.identifiers:
        hints.append("object: which record, screen or job (“refund 8841”, “the payroll export of March”)")
    if not said.words & LIVE_DATA:
        hints.append("why live data: what logs or a masked record cannot show (“compare it with the bank's answer”)")
    return tuple(hints)


def _flat(text: str) -> str:
    return " ".join(_words(unicodedata.normalize("NFKC", text).casefold()))


def _refused(why: str, hints: tuple[str, ...]) -> Judgement:
    missing = f"; missing: {'; '.join(hints)}" if hints else ""
    return Judgement(Verdict((Finding(RULE, False, why + missing, "whoever asks"),)), hints)
