"""Where the house stands and which files are in it."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def list_files(*patterns: str) -> list[Path]:
    """Files that git knows or would add, as absolute paths."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]
