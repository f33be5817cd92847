"""Who lives in the demo: a dozen tenants that differ in every setting, and eight staff of the operator."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.models import OfficeSpan, Role, TenantMode


@dataclass(frozen=True, slots=True)
class Person:
    """A staff member of the demo. `days` is how long ago the account was made; `left` how long ago it was closed."""

    name: str
    email: str
    role: Role
    days: int
    left: int | None = None
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class House:
    """A tenant of the demo. `people` are (contact id, name, roles…) in the words of the import format."""

    id: str
    name: str
    plan: str
    domain: str
    people: tuple[tuple[str, ...], ...]
    status: str = "active"
    settings: dict[str, object] = field(default_factory=dict)


STAFF: tuple[Person, ...] = (
    Person("Dana Okafor", "dana@ops.example", Role.SUPER, 90),
    Person("Sam Lindqvist", "sam@ops.example", Role.SUPER, 88),
    Person("Ann Castellan", "ann@ops.example", Role.ENGINEER, 85),
    Person("Raj Patel", "raj@ops.example", Role.ENGINEER, 85),
    Person("Lee Chen", "lee@ops.example", Role.ENGINEER, 80),
    Person("Tom Brandt", "tom@ops.example", Role.ENGINEER, 60),
    Person("Mia Fontaine", "mia@ops.example", Role.ENGINEER, 21, temporary=True),
    Person("Noor Haddad", "noor@ops.example", Role.AUDITOR, 70),
    Person("Kim Aldous", "kim@ops.example", Role.ENGINEER, 89, left=12),
)

PRESENTER = "ann@ops.example"
"""Whom `demo` plays unless told otherwise: on this desk lies one of everything."""
LEGAL_EMAIL = "legal@ops.example"
"""The operator's legal address, to which every emergency is reported (REQ-109)."""
OFFICE_ZONE = "Europe/Berlin"
OFFICE_SPANS = tuple(OfficeSpan(weekday, "08:00", "18:00") for weekday in range(1, 6))


def persona(role: Role) -> str:
    """Whom one plays in that role."""
    return {Role.ENGINEER: PRESENTER, Role.SUPER: "dana@ops.example", Role.AUDITOR: "noor@ops.example"}[role]


ADMIN, USER, SECURITY, LEGAL = "tenant_admin", "user", "security_contact", "legal_contact"

HOUSES: tuple[House, ...] = (
    House(
        "northwind",
        "Northwind Travel",
        "enterprise",
        "northwind.example",
        (
            ("eva", "Eva Brunner", ADMIN, SECURITY),
            ("paul", "Paul Ortiz", ADMIN),
            ("maria", "Maria Sanz", USER),
            ("jonas", "Jonas Weber", USER),
            ("law", "Legal desk", LEGAL),
        ),
    ),
    House(
        "contoso",
        "Contoso Clinics",
        "enterprise",
        "contoso.example",
        (("ines", "Inês Duarte", ADMIN), ("karl", "Karl Nyström", ADMIN, SECURITY), ("greta", "Greta Holm", USER)),
        settings={"mode": TenantMode.CONSENT_ONLY, "max_minutes": 30, "notify_start_admins": True},
    ),
    House(
        "fabrikam",
        "Fabrikam Logistics",
        "business",
        "fabrikam.example",
        (("otto", "Otto Kranz", ADMIN), ("lucia", "Lucía Prieto", ADMIN), ("ben", "Ben Adeyemi", USER)),
        settings={"standing_consent": True},
    ),
    House(
        "litware",
        "Litware Bank",
        "enterprise",
        "litware.example",
        (("helen", "Helen Ashworth", ADMIN, SECURITY), ("viktor", "Viktor Sokol", ADMIN), ("joan", "Joan Reyes", USER)),
        settings={"mode": TenantMode.FORBIDDEN},
    ),
    House(
        "adatum",
        "Adatum Observatories",
        "business",
        "adatum.example",
        (("mei", "Mei Tanaka", ADMIN), ("luis", "Luis Romero", ADMIN), ("fred", "Fred Osei", USER)),
        settings={"kill_switch": True},
    ),
    House(
        "proseware",
        "Proseware Publishing",
        "starter",
        "proseware.example",
        (("nadia", "Nadia Karim", ADMIN), ("hugo", "Hugo Lefèvre", USER)),
    ),
    House(
        "wingtip",
        "Wingtip Insurance",
        "business",
        "wingtip.example",
        (("carl", "Carl Jensen", ADMIN), ("rosa", "Rosa Blum", ADMIN), ("tim", "Tim Brooks", USER)),
        status="suspended",
    ),
    House(
        "alpine",
        "Alpine Ski House",
        "business",
        "alpine.example",
        (("seppi", "Seppi Moser", ADMIN), ("lena", "Lena Gruber", ADMIN), ("urs", "Urs Amacher", USER)),
        settings={"max_minutes": 15, "weekly_digest": True},
    ),
    House(
        "coho",
        "Coho Vineyards",
        "enterprise",
        "coho.example",
        (("aldo", "Aldo Ferri", ADMIN), ("bea", "Beatrice Conti", ADMIN), ("gino", "Gino Serra", USER)),
        settings={"max_minutes": 240, "notify_start_target": True},
    ),
    House(
        "lucerne",
        "Spital Luzern Süd",
        "enterprise",
        "luzern.example",
        (("reto", "Reto Zürcher", ADMIN, SECURITY), ("anja", "Anja Küng", ADMIN), ("beat", "Beat Hürlimann", USER)),
        settings={"mode": TenantMode.CONSENT_ONLY, "weekly_digest": True},
    ),
    House(
        "margie",
        "Margie's Marina",
        "starter",
        "margie.example",
        (
            ("marge", "Marge Dunn", ADMIN),
            ("pete", "Pete Dunn", ADMIN),
            ("tom", "Tom Brandt", USER),
            ("sally", "Sally Roe", USER),
        ),
    ),
    House(
        "tailspin",
        "Tailspin 玩具 (Toys)",
        "business",
        "tailspin.example",
        (("xiu", "Xiu Lan 蘭", ADMIN), ("omar", "Omar Farouk", ADMIN), ("zoe", "Zoë Maas", USER)),
        settings={"notify_start_admins": True},
    ),
)
"""Tom Brandt of the operator also steers a boat at Margie's Marina: he can neither enter it nor decide (REQ-107)."""


def address(house: House, contact: str) -> str:
    """A contact's e-mail address. Tom's is his operator address in both lives: that is how it is noticed."""
    return "tom@ops.example" if (house.id, contact) == ("margie", "tom") else f"{contact}@{house.domain}"


def import_record(house: House) -> dict[str, object]:
    """The tenant in the words of `tenant import` (interface.md)."""
    contacts = [
        {"id": key, "name": name, "email": address(house, key), "roles": list(roles)}
        for key, name, *roles in house.people
    ]
    return {"id": house.id, "name": house.name, "plan": house.plan, "status": house.status, "contacts": contacts}
