"""The lines of ``benchbox check``: each rule of the conformance kit for the codecs, metrics ... that were named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchbox import testing
from benchbox.codec import validated_options
from benchbox.errors import BenchboxError, UnknownIdError, UsageError, did_you_mean
from benchbox.hooks import HOOKS
from benchbox.loading import Plugin
from benchbox.plan import parse_codec
from benchbox.reference import Reference, ReferenceFormat
from benchbox.registry import Kind, Registry
from benchbox.testing import Check, Outcome


@dataclass(frozen=True)
class Trial:
    """One thing to check: its kind, its name as it is shown, and the function that makes its checks."""

    kind: str
    name: str
    checks: Callable[[], Iterable[Check]]


def named(plugins: Registry, text: str, device: str) -> list[Trial]:
    """Everything that has the id in ``ID[:OPTIONS]``; else the plugin of that name with all that it offers.

    Raises:
        UnknownIdError: there is neither; suggests the nearest id.
        UsageError: options that are refused, options for something that takes none, or none where some are needed.
    """
    name, colon, argument = text.partition(":")
    everything = _everything(plugins)
    found = [(kind, item) for kind, item, _ in everything if item.id == name]
    for kind, item in found:
        wanted = item.argument if kind == "data set" else ""
        if wanted and not argument:
            raise UsageError(f"data set {name} needs an argument: write {name}:{wanted}")
        if colon and not wanted and kind not in ("codec", "report"):
            raise UsageError(f"{kind} {name} takes no options: write {name}, not {text}")
        if argument and kind in ("codec", "report"):  # options that are refused are the caller's fault
            validated_options(item.Options, parse_codec(text).options, name)
    if found:
        return [_trial(kind, item, text, device) for kind, item in found]
    of_that_name = [plugin for plugin in plugins.plugins if plugin.name == name]
    if of_that_name:
        return offered(plugins, of_that_name, device)
    hint = did_you_mean(name, {item.id for _, item, _ in everything}) or "; see `benchbox list plugins`"
    faults = "".join(f"; {plugin} is not in use ({plugin.failure})" for plugin in plugins.plugins if plugin.failure)
    raise UnknownIdError(f"nothing that can be checked is called '{name}'{hint}{faults}")


def offered(plugins: Registry, chosen: Collection[Plugin], device: str) -> list[Trial]:
    """For each of the plugins whether it loaded, then everything that they offer."""
    names = [plugin.name for plugin in chosen]
    return [*(Trial("plugin", plugin.name, partial(_loads, plugin, plugins)) for plugin in chosen),
            *(_trial(kind, item, item.id, device) for kind, item, owner in _everything(plugins) if owner in names)]


def lines(trials: Iterable[Trial]) -> Iterator[tuple[str, str, int]]:
    """For each thing a heading and one line a rule, and one for all rules that another's failure kept from being tried;
    with each line its verdict, "" for a heading, and how many rules it is about."""
    for trial in trials:
        yield f"{trial.kind} {trial.name}", "", 0
        try:
            checks = list(trial.checks())
        except BenchboxError as error:  # it is not available here
            checks = [_settled(trial.name, "available", "fail", str(error))]
        width = max(len(check.name) for check in checks)
        kept_back: Counter[str] = Counter()  # by the reason, which names the rule that failed
        for check in checks:
            outcome = check.outcome()
            if outcome.cause:
                kept_back[outcome.line] += 1
            else:
                yield f"  {outcome.verdict:14}  {check.name:{width}}  {outcome.line}".rstrip(), outcome.verdict, 1
        for reason, count in kept_back.items():
            rules = f"{count} rule{'s' * (count > 1)}"
            yield f"  {'not applicable':14}  {rules:{width}}  {reason}", "not applicable", count


def _everything(plugins: Registry) -> list[tuple[str, Any, str]]:
    """(kind, what is offered, the name of its plugin) of all that has a kit."""
    tables: dict[str, tuple[Kind, Any]] = {
        "codec": ("codecs", plugins.codecs), "metric": ("metrics", plugins.metrics),
        "data set": ("datasets", plugins.datasets), "report": ("reports", plugins.reports),
    }  # fmt: skip
    found = [(kind, item, plugins.owners(owners)[name].name) for kind, (owners, table) in tables.items()
             for name, item in table.items()]  # fmt: skip
    for offer in plugins.offers("benchbox_references"):
        found += [("published curve" if isinstance(item, Reference) else "format of curve files", item,
                   offer.plugin.name) for item in offer.items]  # fmt: skip
    return found


def _trial(kind: str, item: Any, text: str, device: str) -> Trial:
    argument = text.partition(":")[2]
    if kind == "codec":
        return Trial(kind, text, partial(testing.codec_checks, item, parse_codec(text).options, device=device))
    if kind == "metric":
        return Trial(kind, text, partial(testing.metric_checks, item, device))
    if kind == "report":
        return Trial(kind, text, partial(testing.report_checks, item, parse_codec(text).options))
    if isinstance(item, Reference):
        return Trial(kind, f"{item.id} on {item.dataset}", partial(testing.reference_checks, item))
    if isinstance(item, ReferenceFormat):
        return Trial(kind, text, partial(testing.reference_checks, item))
    if item.argument and not argument:  # one of several things that a plugin offers
        reason = f"it needs an argument: benchbox check {item.id}:{item.argument}"
        return Trial(kind, text, lambda: [_settled(text, "all", "not applicable", reason)])
    return Trial(kind, text, partial(testing.dataset_checks, item, argument))


def _loads(plugin: Plugin, plugins: Registry) -> list[Check]:
    """Check that a plugin loads and that each of its hooks gives what it must; call those not called yet."""
    asked = (offer.plugin for hook in HOOKS for offer in plugins.offers(hook))
    faults = [one.failure for one in (plugin, *asked) if one.name == plugin.name and one.failure]
    return [_settled(plugin.name, "loads", "fail" if faults else "pass", faults[0] if faults else "")]


def _settled(name: str, rule: str, verdict: Any, line: str) -> Check:
    """A check whose outcome is known."""
    return Check(name, rule, lambda: Outcome(verdict, line))
