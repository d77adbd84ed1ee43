import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from chattalk.maintenance import errors, verify
from chattalk.maintenance.report import Findings
from chattalk.maintenance.verify_presence import GRACE_SECONDS


class Command(BaseCommand):
    help = (
        "Check what must hold, while people talk: logs without holes, seats, heads, "
        "nobody missing, constraints and indexes, presence. Exit status 1 if something is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="the verdict as JSON")
        parser.add_argument(
            "--pruned",
            action="store_true",
            help="logs may begin late although MESSAGE_KEEP_DAYS is 0: prunemessages ran by hand",
        )
        parser.add_argument(
            "--grace",
            type=float,
            default=GRACE_SECONDS,
            help="seconds that presence may be behind; default: %(default)s",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with errors.told():
            findings = verify.everything(
                sys.stderr, grace=options["grace"], pruned=options["pruned"]
            )
        if options["json"]:
            self.stdout.write(json.dumps(_shape(findings), indent=1))
        else:
            self.stdout.write("\n".join(verify.report(findings)))
        if not findings.good:
            sys.exit(1)


def _shape(findings: Findings) -> dict[str, Any]:
    return {
        "good": findings.good,
        "faults": findings.counts,
        "examples": findings.examples,
        "looked_at": findings.looked_at,
        "unchecked": findings.unchecked,
    }
