"""What support staff are asked to look at: the stories behind every ticket of the demo and of `demo fill`.

Each story is a kind of ticket. `{a}` and `{b}` stand for record numbers, so no two reasons read alike (REQ-102).
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.models import Alternative, ViewKind

LOGS, METRICS, MASKED = Alternative.LOGS, Alternative.METRICS, Alternative.MASKED_RECORD
SNAPSHOT, CALL = Alternative.SNAPSHOT, Alternative.GUIDED_CALL


@dataclass(frozen=True, slots=True)
class Look:
    """One thing to look at in a session; `count` is the size of its result."""

    kind: ViewKind
    name: str
    fields: tuple[str, ...] = ()
    count: int = 1
    within_scope: bool = True


@dataclass(frozen=True, slots=True)
class Story:
    """A kind of ticket: what is asked, what is then looked at, and how it ends."""

    reason: str
    scope: str
    records: int
    tried: tuple[Alternative, ...]
    why_not: str
    looks: tuple[Look, ...]
    cause: str
    changed: str = "nothing"
    follow_up: str = "none"
    urgent: bool = False


STORIES: tuple[Story, ...] = (
    Story(
        "Refund {a} shows as completed in the customer's list but payment event {b} never reached the ledger; "
        "the stored state of both is needed to see which one is wrong.",
        "refund {a}, payment event {b}",
        2,
        (LOGS, MASKED),
        "the log has the event id but not the stored state, and the masked record hides the amount",
        (
            Look(ViewKind.SCREEN, "refund list"),
            Look(ViewKind.RECORD, "refund {a}", ("state", "amount", "completed_at")),
            Look(ViewKind.RECORD, "payment event {b}", ("state", "attempts")),
            Look(ViewKind.QUERY, "ledger lines of refund {a}", ("posted_at", "account"), 4),
        ),
        "payment event {b} was acknowledged before the ledger line was written",
        follow_up="fix of the retry order, BUG-{a}",
    ),
    Story(
        "Invoice {a} prints last year's VAT rate although the account's country was corrected in May; "
        "need to see which rate the invoice line itself stores.",
        "invoice {a}, tax settings of the account",
        3,
        (LOGS, SNAPSHOT),
        "last night's snapshot is from before the correction",
        (
            Look(ViewKind.SCREEN, "tax settings"),
            Look(ViewKind.RECORD, "invoice {a}", ("vat_rate", "issued_at", "country")),
            Look(ViewKind.FIELD, "account country history", ("country", "changed_at"), 3),
        ),
        "the invoice was drafted before the country changed and keeps its draft rate",
        follow_up="documentation of draft rates",
    ),
    Story(
        "Calendar sync has created booking {a} twice for the same guest since Tuesday; comparing both rows' "
        "external ids will show whether the import or the webhook doubled it.",
        "booking {a} and its duplicate, sync journal",
        6,
        (LOGS, METRICS),
        "metrics show the doubled rate but not which path wrote the second row",
        (
            Look(ViewKind.SEARCH, "bookings of the week, number {a}", (), 2),
            Look(ViewKind.RECORD, "booking {a}", ("external_id", "source", "created_at")),
            Look(ViewKind.QUERY, "sync journal around booking {a}", ("event", "at"), 4),
            Look(ViewKind.SCREEN, "calendar settings"),
        ),
        "webhook and nightly import use different external ids",
        follow_up="BUG-{b} for the import's key",
    ),
    Story(
        "User cannot open document {a}: the page shows 'forbidden' though the sharing dialog lists them as editor; "
        "the effective permission rows of that document must be compared.",
        "document {a}, permission rows of one user",
        4,
        (LOGS, CALL),
        "on the call we saw the same dialog as the user; the inherited rows are not shown there",
        (
            Look(ViewKind.SCREEN, "sharing dialog of document {a}"),
            Look(ViewKind.RECORD, "permission rows of document {a}", ("role", "inherited_from"), 5),
            Look(ViewKind.RECORD, "folder {b}", ("owner", "sharing")),
        ),
        "a deny row inherited from folder {b} wins over the direct grant",
        follow_up="the customer's admin removes the row",
    ),
    Story(
        "Payroll run {a} stopped at employee 212 with 'missing cost centre', yet the employee card shows one; "
        "salaries are due tomorrow and only live data carries the draft run.",
        "payroll run {a}, one employee card",
        2,
        (LOGS, MASKED, SNAPSHOT),
        "the draft run is not part of snapshots and the masked card hides the cost centre",
        (
            Look(ViewKind.SCREEN, "payroll run {a}"),
            Look(ViewKind.RECORD, "employee 212", ("cost_centre", "valid_from")),
            Look(ViewKind.QUERY, "validation errors of run {a}", ("employee", "rule"), 1),
        ),
        "the cost centre becomes valid one day after the run's key date",
        follow_up="the customer moves the key date",
        urgent=True,
    ),
    Story(
        "Export of {a} orders ends after exactly 65,536 lines and the customer's auditor needs the rest today; "
        "need to run the same export under their account to see where it is cut.",
        "order export, job {b}",
        1,
        (LOGS, METRICS),
        "logs say the job succeeded; the cut is only seen in the produced file",
        (
            Look(ViewKind.SCREEN, "export centre"),
            Look(ViewKind.RECORD, "export job {b}", ("lines", "finished_at")),
            Look(ViewKind.EXPORT, "order export (headers only)", ("order_id",)),
        ),
        "the writer's row counter is 16 bits wide",
        follow_up="hotfix 5.4.2",
        urgent=True,
    ),
    Story(
        "Password-reset mails to this user bounce with 'unknown recipient {a}' although the address on the profile is "
        "right; the stored delivery address of the user has to be read.",
        "one user profile, mail queue",
        2,
        (LOGS,),
        "addresses are redacted in our logs",
        (
            Look(ViewKind.RECORD, "user profile", ("email", "email_canonical")),
            Look(ViewKind.QUERY, "mail queue of the user", ("state", "last_error"), 3),
        ),
        "the canonical address kept a trailing dot from the import",
        "canonical address of one user corrected by the product's own repair action",
    ),
    Story(
        "Stock of article {a} went to -14 after the returns job of Friday; the movements of that one article show "
        "whether a return was booked twice.",
        "article {a}, stock movements since Friday",
        20,
        (METRICS, MASKED),
        "masked movements hide the quantities, which are the question",
        (
            Look(ViewKind.RECORD, "article {a}", ("stock", "reserved")),
            Look(ViewKind.QUERY, "movements of article {a}", ("quantity", "kind", "at"), 17),
            Look(ViewKind.RECORD, "return {b}", ("booked_at", "lines")),
            Look(ViewKind.RECORD, "supplier price list", ("price",), 1, False),
        ),
        "return {b} was booked by the job and by hand",
        follow_up="the warehouse corrects one movement",
    ),
    Story(
        "Dashboard tile 'open claims' shows {a} while the claim list counts fewer since the migration; "
        "the saved filter of the tile must be compared with the list's.",
        "dashboard of one user, claim list counts",
        2,
        (LOGS, SNAPSHOT, CALL),
        "the snapshot carries no saved filters; on the call the tile could not be opened",
        (
            Look(ViewKind.SCREEN, "dashboard"),
            Look(ViewKind.RECORD, "saved filter {b}", ("definition", "owner")),
            Look(ViewKind.QUERY, "claim counts by state", ("state", "count"), 6),
        ),
        "the saved filter still counts withdrawn claims",
        follow_up="migration note for filters",
    ),
    Story(
        "Signature request {a} is stuck in 'waiting for second signer' though both parties hold the signed copy; "
        "the signer rows will tell which callback was lost.",
        "signature request {a}, its two signer rows",
        3,
        (LOGS, MASKED),
        "the callback log ends at the load balancer",
        (
            Look(ViewKind.RECORD, "signature request {a}", ("state", "updated_at")),
            Look(ViewKind.RECORD, "signer rows of request {a}", ("signed_at", "callback_id"), 2),
            Look(ViewKind.FILE, "signed copy, last page", ("signature block",)),
        ),
        "the second callback arrived during the deployment and was dropped",
        "callback replayed for request {a}",
    ),
    Story(
        "Two-factor prompt appears on every click for users in group {a} since the policy change; need the "
        "session policy row this tenant really has.",
        "session policy, group {a}",
        2,
        (LOGS, METRICS),
        "the policy is cached per tenant and not logged",
        (
            Look(ViewKind.SCREEN, "security policy"),
            Look(ViewKind.RECORD, "session policy of group {a}", ("max_age", "step_up")),
        ),
        "max_age was saved in seconds where minutes were meant",
        follow_up="unit shown beside the field",
    ),
    Story(
        "Import of price list {a} maps column 'netto' to the gross price for this customer only; the stored "
        "mapping of import profile {b} is what we must look at.",
        "import profile {b}, first lines of price list {a}",
        10,
        (SNAPSHOT,),
        "profiles are encrypted in snapshots",
        (
            Look(ViewKind.RECORD, "import profile {b}", ("mapping", "version")),
            Look(ViewKind.FILE, "price list {a}, first 10 lines", ("net", "gross"), 10),
            Look(ViewKind.SEARCH, "articles with net above gross", (), 31, False),
        ),
        "profile {b} was copied from another country's template",
        follow_up="the customer saves the profile anew",
    ),
)

QUESTIONS: tuple[str, ...] = (
    "Which of our people will be visible to you while you are in?",
    "Can this wait until our month-end closing is done tonight?",
    "Do you need the amounts, or are the states enough?",
    "Is it enough to look at the one record named in the ticket?",
)
ANSWERS: tuple[str, ...] = (
    "Only the records named in the scope; no lists of people are opened.",
    "The states are enough. I will not open the amounts.",
    "Yes, the one record is enough; the session ends as soon as it is read.",
)
NOTES: tuple[str, ...] = (
    "fine, please write what you found into the ticket",
    "approved after a call with the ticket's owner",
    "only outside the closing window",
)
DENIALS: tuple[str, ...] = (
    "not before our audit is over",
    "the ticket was solved by our own administrator",
    "please use the masked record, as last time",
)
FORCE_ENDS: tuple[str, ...] = (
    "views outside the declared scope, and no answer on the phone",
    "the customer asked by phone to stop at once",
)
ELEVATIONS: tuple[str, ...] = (
    "Callback {b} was lost and record {a} still shows 'waiting'; replaying it is a button on the live record's own "
    "screen, which read-only mode refuses.",
    "The stored state of record {a} is wrong, as seen just now; the product's repair action on the live record has to "
    "be run, and it fails with 'not allowed' in read-only mode.",
)
