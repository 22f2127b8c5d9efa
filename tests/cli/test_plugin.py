"""Plugins add subcommands to ``benchbox``; whatever they do, the built-in ones work."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from installed_plugins import Install

from benchbox.cli.main import main

Call = Callable[..., tuple[int, str, str]]

SOURCE = """
import click
from benchbox import hookimpl
from benchbox.errors import UsageError

@click.command()
@click.argument("what", default="nothing")
def greet(what):
    '''Say hello.'''
    if what == "usage":
        raise UsageError("greet: no such greeting; try another")
    if what == "fault":
        raise ZeroDivisionError("two\\nlines")
    if what == "exit":
        raise SystemExit(7)
    if what == "stop":
        click.get_current_context().exit(5)
    click.echo(f"hello, {what}")

def command(name):
    return click.Command(name, callback=lambda: click.echo(f"this is {name}"), help="More.")
"""


def plugin(returned: str) -> str:
    return f"{SOURCE}\n@hookimpl\ndef benchbox_commands():\n    return {returned}\n"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run the command line in this process: (exit code, standard output, standard error)."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["benchbox", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return int(str(stop.value.code)), out, err

    return run


def state(call: Call, name: str) -> str:
    """The state that ``benchbox list plugins`` shows for a plugin whose distribution has the same name."""
    code, out, _ = call("list", "plugins")
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith(f"{name} ")]
    return line.partition(f"{name} 1.5 ")[2].strip()


def test_a_plugins_command_runs_and_is_listed(install: Install, call: Call) -> None:
    install("acme", plugin("[greet]"))
    assert call("greet", "world") == (0, "hello, world\n", "")
    code, out, err = call("--help")
    assert (code, err) == (0, "")
    assert re.search(r"^  greet  +Say hello\.", out, flags=re.MULTILINE)
    assert re.search(r"^  run  +Measure", out, flags=re.MULTILINE)
    assert state(call, "acme") == "loaded"
    code, out, _ = call("greet", "--help")
    assert code == 0
    assert out.startswith("Usage: benchbox greet ")


@pytest.mark.parametrize(("word", "meant"), [("gret", "greet"), ("rum", "run")])
def test_a_misspelt_name_is_set_right_over_both_kinds(word: str, meant: str, install: Install, call: Call) -> None:
    install("acme", plugin("[greet]"))
    code, _, err = call(word)
    assert code == 2
    assert err.endswith(f"Error: No such command '{word}'; did you mean '{meant}'?\n")


def test_a_built_in_name_wins_and_the_plugin_is_named(install: Install, call: Call) -> None:
    install("acme", plugin("[command('run'), greet]"))
    code, out, _ = call("run", "--help")
    assert code == 0
    assert "PLAN" in out
    assert state(call, "acme") == "its command 'run' is one of benchbox's own; rename it"
    assert call("greet")[:2] == (0, "hello, nothing\n")


def test_a_name_from_two_plugins_is_refused_naming_both(install: Install, call: Call) -> None:
    install("acme", plugin("[command('same'), greet]"))
    install("other", plugin("[command('same')]"))
    reason = "several plugins offer the command 'same': acme of acme and other of other; rename or remove all but one"
    assert call("same") == (1, "", f"benchbox: {reason}\n")
    assert state(call, "acme") == state(call, "other") == reason
    assert "same" not in call("--help")[1]
    assert call("greet")[:2] == (0, "hello, nothing\n")


def test_a_name_twice_from_one_plugin_is_refused(install: Install, call: Call) -> None:
    install("acme", plugin("[greet, greet]"))
    assert call("greet") == (1, "", "benchbox: plugin acme of acme offers the command 'greet' twice; "
                                    "remove one of them\n")  # fmt: skip


@pytest.mark.parametrize(("returned", "reason"), [
    ("1 / 0", "benchbox_commands raised ZeroDivisionError: division by zero"),
    ("exit(3)", "benchbox_commands raised SystemExit: 3"),
    ("['greet']", "benchbox_commands gave a str; it must give instances of Command"),
    ("3", "benchbox_commands gave a int; it must give a list"),
    ("[click.Command(None)]", "one of its commands has no name; give it one"),
    ("[command(3)]", "its command 3 has a name that nobody can call; use letters"),
    ("[command('--help')]", "its command '--help' has a name that nobody can call"),
    ("[command('a\\x1b[31m')]", r"its command 'a\x1b[31m' has a name that nobody can call"),
    ("[click.Command('loud', help=3)]", "one of its commands cannot be listed, it raised AttributeError"),
    ("[type('C', (click.Command,), {'get_short_help_str': lambda self, limit: 1 / 0})('loud')]",
     "one of its commands cannot be listed, it raised TypeError"),
])  # fmt: skip
def test_a_hook_that_fails_costs_only_its_commands(returned: str, reason: str, install: Install, call: Call) -> None:
    install("acme", plugin(returned))
    install("other", plugin("[greet]"))
    assert call("greet")[:2] == (0, "hello, nothing\n")
    assert "greet" in call("--help")[1]
    assert state(call, "acme").startswith(reason)
    assert state(call, "other") == "loaded"
    code, _, err = call("acmee")
    assert code == 2
    assert "see `benchbox list plugins`" in err


def test_two_codecs_of_one_id_leave_every_command(install: Install, call: Call) -> None:
    source = ("from benchbox import CodecInfo, hookimpl\nclass Info(CodecInfo):\n"
              "    def identity(self, options): pass\n"
              "@hookimpl\ndef benchbox_codecs(): return [Info(id='acme', title='Acme')]\n")
    install("acme", source)
    install("other", source)
    code, out, err = call("--help")
    assert (code, err) == (0, "")
    assert "  run " in out
    assert "  resnet " in out
    assert "'acme' is offered by acme of acme and by other of other" in state(call, "other")


@pytest.mark.parametrize(("what", "code", "message"), [
    ("usage", 2, "benchbox: greet: no such greeting; try another\n"),
    ("fault", 1, "benchbox: the command 'greet' of plugin acme of acme raised ZeroDivisionError: two lines; "
                 "run again with --debug and report it to the plugin's author\n"),
    ("exit", 7, ""),
    ("stop", 5, ""),
])  # fmt: skip
def test_an_error_in_a_command_is_one_line(what: str, code: int, message: str, install: Install, call: Call) -> None:
    install("acme", plugin("[greet]"))
    assert call("greet", what) == (code, "", message)


def test_an_unexpected_error_has_its_traceback_with_debug(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("acme", plugin("[greet]"))
    monkeypatch.setattr(sys, "argv", ["benchbox", "--debug", "greet", "fault"])
    with pytest.raises(Exception, match="plugin acme of acme") as caught:
        main()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("arguments", [["--version"], ["run", "--help"], ["report", "--help"], ["gc", "--bogus"]])
def test_built_in_names_load_no_plugin(arguments: list[str]) -> None:
    script = ("import sys\nfrom benchbox.cli.main import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
              "print(sorted({'benchbox.registry', 'numpy', 'pluggy'} & {*sys.modules}), file=sys.stderr)")
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_a_group_of_commands_is_a_command(install: Install, call: Call) -> None:
    install("acme", SOURCE + "\ngroup = click.Group('acme')\ngroup.add_command(greet)\n"
                             "@hookimpl\ndef benchbox_commands(): return [group]\n")
    assert call("acme", "greet", "you") == (0, "hello, you\n", "")
    assert call("acme", "greet", "fault")[2].startswith("benchbox: the command 'acme' of plugin acme of acme raised")
