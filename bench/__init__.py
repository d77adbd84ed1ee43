"""What ChatTalk costs, beside its peers (docs/performance.md)."""

import sys
from pathlib import Path

# Whom bench/ and faults/ send in has the client of this copy of the repository, installed or not.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clients" / "python" / "src"))
