"""``benchbox compare``: says whether a codec is better than it was, and fails a pull request where it is worse."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import click

from benchbox.cli.group import commands, load_plugins, plugin_option, workspace_option
from benchbox.errors import UsageError


@commands.command()
@click.argument("before")
@click.argument("after")
@click.option("--codec", "codecs", multiple=True, metavar="ID|OLD=NEW", help="Label or id. [default: all in both]")
@click.option("--metric", "metrics", multiple=True, metavar="ID", help="e.g. ms-ssim. [default: all in both]")
@click.option("--markdown", "form", flag_value="markdown", help="Print Markdown, for a pull request.")
@click.option("--json", "form", flag_value="json", help="Print JSON, with every picture and every changed point.")
@click.option("--fail-above", type=float, metavar="PERCENT", help="Exit with 1 where the interval lies wholly above.")
@plugin_option
@workspace_option
def compare(
    before: str, after: str, codecs: tuple[str, ...], metrics: tuple[str, ...], form: str | None,
    fail_above: float | None, plugin_paths: tuple[Path, ...], workspace: Path,
) -> None:  # fmt: skip
    """Is a codec better than it was? Compare run AFTER with run BEFORE, picture by picture.

    Each is the name of a run (NAME~1 is what NAME was before its codec changed), its folder, or a published folder.

    With --fail-above the exit code is 1 where a codec is worse by more than PERCENT of bits, by the lower end of the
    95 % interval, or fails on points where it did not, and 3 where that cannot be decided or AFTER lacks
    what BEFORE has.
    """
    if fail_above is not None and not math.isfinite(fail_above):
        raise UsageError(f"--fail-above {fail_above}: give a percentage, e.g. 1")
    from benchbox.cli.comparison import as_json, as_markdown, as_text
    from benchbox.cli.gate import judged, open_gate
    from benchbox.curves import codec_pairs, common_metrics, compare_codecs, uncompared
    from benchbox.dataset import public_name
    from benchbox.results import check_versions, find_run, load_run, unknown_metrics
    from benchbox.store import Workspace

    place, plugins = Workspace.at(workspace), load_plugins(plugin_paths)
    (old, known), (new, offered) = (load_run(run, place, plugins) for run in (before, after))
    compared = common_metrics(known, offered, metrics)
    check_versions([find_run(run, place) for run in (before, after)], plugins, [metric.id for metric in compared])
    found = compare_codecs(old, new, compared, codec_pairs(old, new, codecs))
    left = uncompared(old, new, (known, offered), (codecs, metrics))
    unknown = () if metrics else tuple(unknown_metrics(find_run(before, place), plugins))
    left = replace(left, datasets=tuple(map(public_name, left.datasets)), unknown=unknown)
    gate = open_gate() if fail_above is None else judged(found, left, fail_above)
    written = {"markdown": as_markdown, "json": as_json}.get(form or "", as_text)
    click.echo(written((before, after), found, left, gate))
    sys.exit(gate.code)
