"""Subcommands that plugins add to ``benchbox``: loaded only when needed, refused if their name is taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from benchbox.errors import BenchboxError, PluginError, did_you_mean, one_line

if TYPE_CHECKING:
    from benchbox.loading import Plugin
    from benchbox.registry import Registry


@dataclass(frozen=True)
class PluginCommands:
    """The subcommands of all plugins.

    Attributes:
        commands: those in use, by name.
        owners: the plugin of each command in use.
        clashes: for each name that several plugins offer, one line that names them. None of these commands is in use.
        failures: the first fault of the commands of each plugin, by its name.
        registry: the plugins; None if none could be loaded.
    """

    commands: Mapping[str, click.Command]
    owners: Mapping[str, Plugin]
    clashes: Mapping[str, str]
    failures: Mapping[str, str]
    registry: Registry | None

    def plugins(self) -> tuple[Plugin, ...]:
        """Every plugin, asked for all that it offers; its `failure` also covers faults of its commands."""
        return tuple(plugin if plugin.failure else replace(plugin, failure=self.failures.get(plugin.name))
                     for plugin in (self.registry.plugins if self.registry else ()))  # fmt: skip


def collect(registry: Registry, built_in: Collection[str]) -> PluginCommands:
    """Ask every plugin for its subcommands; refuse names in `built_in` and names that are offered more than once."""
    failures: dict[str, str] = {}  # by plugin name; the first one counts
    offers: dict[str, list[tuple[Plugin, click.Command]]] = {}
    for offer in registry.commands():
        if offer.plugin.failure:
            failures[offer.plugin.name] = offer.plugin.failure
        for command in offer.items:
            if command.name in built_in:
                reason = f"its command '{command.name}' is one of benchbox's own; rename it"
                failures.setdefault(offer.plugin.name, reason)
            else:
                offers.setdefault(command.name, []).append((offer.plugin, command))
    clashes = {name: _clash(name, [plugin for plugin, _ in them]) for name, them in offers.items() if len(them) > 1}
    for name, reason in clashes.items():
        for plugin, _ in offers[name]:
            failures.setdefault(plugin.name, reason)
    return PluginCommands(
        {name: them[0][1] for name, them in offers.items() if name not in clashes},
        {name: them[0][0] for name, them in offers.items() if name not in clashes},
        clashes,
        failures,
        registry,
    )


def _clash(name: str, plugins: list[Plugin]) -> str:
    who = [f"{plugin.name} of {plugin.distribution}" for plugin in plugins]
    if len(set(who)) == 1:
        return f"plugin {who[0]} offers the command '{name}' twice; remove one of them"
    return f"several plugins offer the command '{name}': {' and '.join(who)}; rename or remove all but one"


def built_in(context: click.Context) -> frozenset[str]:
    """The names of benchbox's own subcommands, from the context of any of them."""
    root = context.find_root().command
    return frozenset(root.commands) if isinstance(root, click.Group) else frozenset()


class PluginGroup(click.Group):
    """A group of built-in subcommands that plugins extend.

    A built-in name never loads plugins. Other names, and the list in ``--help``, load them once per invocation.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all subcommands, sorted."""
        return sorted({*self.commands, *self._plugin_commands(ctx).commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The built-in subcommand of that name, else a plugin's, else None."""
        own = super().get_command(ctx, cmd_name)
        return self._plugin_commands(ctx).commands.get(cmd_name) if own is None else own

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The subcommand that `args` begin with.

        Raises:
            PluginError: several plugins offer it.
            click.UsageError: there is none; suggests the nearest name.
        """
        name = args[0]
        if self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            found = self._plugin_commands(ctx)
            if name in found.clashes:
                raise PluginError(found.clashes[name])
            hint = did_you_mean(name, self.list_commands(ctx))
            if any(plugin.failure for plugin in found.plugins()):
                hint += "; a plugin has a fault, which may be why: see `benchbox list plugins`"
            ctx.fail(f"No such command '{name}'{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand. Any other error in a plugin's command becomes a PluginError that names the plugin."""
        try:
            return super().invoke(ctx)
        except (BenchboxError, OSError, click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            name = ctx.invoked_subcommand
            if name is None or name in self.commands:
                raise
            plugin = self._plugin_commands(ctx).owners[name]
            raise PluginError(f"the command '{name}' of plugin {plugin.name} of {plugin.distribution} raised "
                              f"{type(error).__name__}: {one_line(error)}; run again with --debug and report it to the "
                              "plugin's author") from error

    def _plugin_commands(self, ctx: click.Context) -> PluginCommands:
        known = ctx.meta.get(__name__)  # lives as long as this invocation of the program
        if isinstance(known, PluginCommands):
            return known
        from benchbox import registry  # imports every plugin, which built-in commands do not need

        try:
            found = collect(registry.load(), self.commands)
        except BenchboxError as error:  # the built-in commands must still be listed
            click.echo(f"benchbox: commands of plugins are left out: {error}", err=True)
            found = PluginCommands({}, {}, {}, {}, None)
        ctx.meta[__name__] = found
        return found
