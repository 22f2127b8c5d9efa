"""Measures a plan of this folder and publishes it beside the plan; `make published` calls it.

    python reports/published/measure.py kodak [--literature ID,ID] [--workspace DIRECTORY]

Metrics that are not available on this machine are left out, and named. Running it again measures only what is missing.
"""

import argparse
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import benchbox
from benchbox import registry


def with_available_metrics(plan: dict[str, Any]) -> dict[str, Any]:
    """`plan` without the metrics that cannot be computed here; standard error says which and why."""
    known, kept = registry.load(), []
    for name in plan["metrics"]:
        why = known.metric(name).unavailable()
        if why is None:
            kept.append(name)
        else:
            print(f"{name} is left out: {why}", file=sys.stderr)
    return {**plan, "metrics": kept}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", type=Path, help="a plan of this folder by its name, or any plan file")
    parser.add_argument("--literature", default="", help="published curves to draw, by id")
    parser.add_argument("--workspace", type=Path, default=Path("runs"))
    args = parser.parse_args()
    named = Path(__file__).parent / f"{args.plan}.toml"
    file, workspace = (named if named.is_file() else args.plan).resolve(), args.workspace.resolve()
    plan = with_available_metrics(tomllib.loads(file.read_text(encoding="utf-8")))
    os.chdir(file.parent)  # where relative paths of the plan start
    benchbox.run(plan, workspace=workspace, reports=[])
    literature = ["--literature", args.literature] if args.literature else []
    subprocess.run([sys.executable, "-m", "benchbox", "publish", plan["name"], "--output", str(file.with_suffix("")),
                    "--workspace", str(workspace), *literature], check=True)


if __name__ == "__main__":
    main()
