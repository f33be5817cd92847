"""The vocabulary of the reason linter: words that would fit any ticket, and words that say something is not as it
should be. Data, not rules; `reason` says how they count."""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


FUNCTION = _set(
    """
    a about above across after again against all almost along already also am an and another any anyone anything are
    around as at away back be because been before being below between both by can could did do does doing done down
    during each either else etc even ever every everyone everything few for from further had has have having he her
    here hers him his how i if in into is it its itself just least less let like ll lot made make makes making many
    may maybe me might more most much must my near next of off often on once one only onto or other our ours out over
    own per quite rather re s same shall she should since so some someone somehow soon still such t than that the
    their them then there these they this those through to together too toward towards two three four five six seven
    eight nine ten under until up upon us very via was way we well were what when where whether which who whom whose
    why will with within would yes yet you your yours i'm i've i'd i'll it's that's there's we're we've you're they're
    he's she's let's dont im ive
    """
)
"""They carry grammar; they are counted as words, never as substance."""

GENERIC = _set(
    """
    access accessed accessing account accounts act action actions activate activity actual actually add additional
    admin administrator advise agent agreed allow allowed analyse analysis analyze angry annoyed answer anymore app
    application applications approval approve approved approver ask asked asking asks assist assistance assistant
    assigned attention authorised authorized available aware bad basic behalf behave behaving behavior behaviour best
    better big boss bother browse browsing bug bugs business busy call called calls came care case cases cause causes
    caused cc certain change changed changes chat check checked checking checks clarification clarify clarity clear
    client clients clients' close colleague colleagues come comes coming complain complained complaining complains
    complaint complaints concern concerning concerns confirm confused connect consider contact contacted continue
    correct correctly could couple cover critical current currently customer customer's customers daily data day days
    deal dear debug debugged debugging decide deep deeper department described description desk detail details detect
    dev developer developers diagnose diagnosing diagnosis diagnostic diagnostics different difficulties difficulty
    dig digging directly discuss discussed discussion do document doing easily easy edit email emailed emergency end
    engineer engineering engineers enter entering entry environment escalate escalated escalation etc every everything
    evidence exact exactly example expect expected expects experience experienced experiences experiencing explain
    explained explains fact familiar fast faster feedback feel figure find finding fine finish first fix fixed fixes
    fixing flow follow following follow-up for frustrated full fully function functional functionality functionalities
    further general get gets getting give given gives giving glance go goes going good got grant granted great guess
    guy guys hand handle handled handling happen happened happening happens happy hard has health hello help helped
    helpful helping helps here hi high higher highest hour hours however idea identified identify immediate
    immediately impact important improve in-depth incident incidents info inform information informed inquiry inside
    inspect inspecting inspection instance instructed interface internal investigate investigated investigating
    investigation involved issue issues job keep kind kindly knew know known lead level little live local log logged
    logging login logins logon logs long look looked looking looks maintain maintenance major manage management
    manager manually matter matters mean means mention mentioned message messages minor minute minutes moment monitor
    monitoring month monthly move name need needed needing needs new nice normal normally note notes notice noticed
    now object observe observed office ok okay open opened operate operation operational operations opinion optimal
    option options others page pages part particular patch people per perform performance permission permissions
    person personal phone place please pleased plz pls point portal possible possibly post present previous prio
    priority probable probably problem problematic problems procedure proceed process processing prod production
    profile proper properly provide provided purpose purposes quality query question questions quick quickly raise
    raised rapid rapidly read ready real really reason reasons receive received recent recently record records
    regarding regards regular related relevant report reported reporting reports reproduce request requested
    requesting requests require required requirement requires research resolution resolve resolved resolving respond
    response responsible rest result results review reviewed reviewing right root routine run running said sanity save
    saw say says screen screens screenshot section see seeing seem seems seen self server servers service services
    setting settings setup several share show showed showing shown shows side similar simple simply since site
    situation small software solution solve solved solving someone something sort speak special specific spoke start
    started state stated status step steps stop stopped stuff sub suggest suggested super supervisor support supported
    sure suspect suspected system systems take taken takes taking talk talked task tasks team teammate teams tech
    technical technician tell tells temporary tenant tenants test tested testing tests thank thanks thing things think
    thinks thorough thoroughly ticket tickets till time times today told tomorrow tonight took tool tools top total
    touch tried troubleshoot troubleshooted troubleshooting trouble troubled troubles try trying type understand
    understanding unknown unsure update updated updates updating upset urgency urgent urgently us usage use used user
    user's users uses using usual usually validate various verify verified version view viewed viewing views visit
    wait waiting walk want wanted wants watch way ways website week weekly weird what whatever whole work worked
    working works world worry worried write wrote yesterday your asap fyi tbd tba misc random hmm lorem ipsum dolor
    sit amet consectetur adipiscing elit foo bar baz qux blah xyz abc todo n/a na none nil peek inquire enquiry
    enquiries ensure ensuring guarantee satisfied satisfaction business-critical stakeholder stakeholders vip sla
    deadline deadlines vendor partner operator staff member human somebody anybody nobody everybody
    """
)
"""What any ticket could say: asking, looking, urgency, politeness, people and process, "data", "page", "settings"."""

FAILURE = _set(
    """
    broken break breaks breaking bug crash crashed crashes crashing defect defective down error errors exception
    exceptions fail failed failing fails failure failures fault faulty glitch glitches glitchy inaccessible outage
    slow slowly slower sluggish unable unavailable unresponsive unstable unusable malfunction malfunctions
    """
)
"""Something is wrong, but this does not say what."""

DEVIATION = _set(
    """
    absent although ambiguous bounced bounces breached but can't cannot compromised corrupt corrupted corrupting
    corrupts couldn't cropped cut declined declines delayed delays deleted deletes deleting denied despite destroyed
    destroying destroys didn't differ difference differences differs disabled disagree disagrees disappear disappeared
    disappears discrepancy doesn't don't double doubled drained draining drains drift drifted dropped dropping drops
    duplicate duplicated duplicates duplicating early empty encrypted erased erases erasing exceeded exceeds excess
    expired expires exposed exposes exposing extra flickers forged fraudulent freeze freezes frozen garbled gone hadn't
    half hang hanging hangs hasn't haven't hidden hijacked ignored ignores incomplete inconsistent incorrect incorrectly
    inflated instead invalid inverted invisible isn't jumped jumps lacking lacks late later leaked leaking leaks locked
    loop loops loses losing lost mangled mislabelled mismatch mismatched mismatches mismatching missing mixed negative
    neither never no nor not nothing obsolete offset old orphan orphaned outdated overdue overlap overlapping overlaps
    overwrites overwriting overwritten partial partially pending reappear reappears rejected rejects removed repeated
    repeatedly repeats reset resets resurfaced reversed reverted rolled rounded rounding scrambled shifted short skipped
    skips stale stalled stolen stopped strange stuck suddenly swapped tampered thrice timed-out timeout timeouts
    times-out too triple truncated twice unlike vanish vanished vanishes versus vs wasn't weren't whereas wiped wipes
    wiping without won't wouldn't wrong wrongly zero zeroed zeros
    """
)
"""What is not as it should be: said of something, it is a symptom."""

PURPOSE = _set(
    """
    compare compared comparing confirm correlate count determine establish matches match matching measure measuring
    reconcile reconciling recover reproduce restore restoring trace tracing verify whether which why
    """
)
"""What the look is to find out."""

LIVE_DATA = _set(
    """
    compare comparing confirm correlate inspect live log logs masked match metrics only production real reconcile
    record records reproduce see snapshot staging test trace verify visible why
    """
)
"""Words by which people say why the live data is needed."""
