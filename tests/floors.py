"""A contract for import-linter that reads like the design's table: a floor, and all that it may import.

A list of what is forbidden forgets the module that is written tomorrow; a list of what is allowed does not. Names in
annotations (`if TYPE_CHECKING`) load nothing and do not count; the standard library is always allowed.
"""

from __future__ import annotations

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class ReachesOnly(Contract):
    """`floor`: a package; `may_import`: modules, each with all below it; `never`: exceptions below those; `exceptions`:
    single imports ("importer -> imported") that the reader finds explained beside them."""

    type_name = "reaches_only"

    floor = fields.StringField()
    may_import = fields.ListField(subfield=fields.StringField())
    never = fields.ListField(subfield=fields.StringField(), required=False)
    exceptions = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        allowed = [self.floor, *self.may_import]
        excepted = set(self.exceptions or ())
        wrong: list[str] = []
        for importer in sorted({self.floor, *graph.find_descendants(self.floor)}):
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                standard = imported.partition(".")[0] in sys.stdlib_module_names
                below = standard or _is_below(imported, allowed)
                link = f"{importer} -> {imported}"
                if link not in excepted and (not below or _is_below(imported, self.never or ())):
                    wrong.append(link)
        unused = sorted(link for link in excepted if not _imports(graph, link))
        return ContractCheck(kept=not wrong and not unused, metadata={"wrong": wrong, "unused": unused})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for link in check.metadata["wrong"]:
            output.print_error(f"- {link}")
        for link in check.metadata["unused"]:
            output.print_error(f"- an exception that nothing needs any more: {link}")


def _is_below(module: str, packages: list[str] | tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def _imports(graph: ImportGraph, link: str) -> bool:
    importer, _, imported = link.partition(" -> ")
    return importer in graph.modules and imported in graph.find_modules_directly_imported_by(importer)
