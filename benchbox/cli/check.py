"""``benchbox check``: the conformance kit on the command line."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from benchbox.cli.group import commands, load_plugins, plugin_option
from benchbox.errors import UsageError
from benchbox.plugin_file import plugin_files


@commands.command()
@click.argument("names", nargs=-1, metavar="[ID[:OPTIONS]]...")
@plugin_option
@click.option("--device", default="cpu", show_default=True, help="What codecs and metrics open on, e.g. cuda.")
def check(names: tuple[str, ...], plugin_paths: tuple[Path, ...], device: str) -> None:
    """Check codecs, metrics, data sets ... by the rules of the conformance kit, one line a rule.

    ID is that of a codec (with its options, as in webp:method=6), of a metric, a data set ..., or the name of a plugin,
    all of whose offers are checked. Without ID, all that the files of --plugin offer is checked. The exit code is 1 if
    a rule is broken. A rule that takes long is named on standard error, with the time after which it is ended.
    """
    from benchbox.cli import kits

    if not names and not plugin_paths:
        raise UsageError("nothing to check; name an id (benchbox check jpeg) or a file (benchbox check --plugin FILE)")
    plugins = load_plugins(plugin_paths)
    trials = [trial for name in names for trial in kits.named(plugins, name, device)]
    if not names:
        asked = plugin_files(plugin_paths)
        files = [plugin for plugin in plugins.plugins if plugin.file is not None and plugin.file in asked]
        trials = kits.offered(plugins, files, device)
    verdicts: Counter[str] = Counter()
    for line, verdict, rules in kits.lines(trials):
        click.echo(line)
        verdicts[verdict] += rules
    click.echo(f"{verdicts['pass']} passed, {verdicts['fail']} failed, {verdicts['not applicable']} not applicable")
    if verdicts["fail"]:
        sys.exit(1)
