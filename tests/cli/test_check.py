"""``benchbox check`` runs the conformance kit without pytest: one line a rule, exit code 1 where one is broken."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from installed_plugins import Install

from benchbox import registry, testing
from benchbox.cli.main import main

Call = Callable[..., tuple[int, str, str]]

TOY = Path(__file__).resolve().parents[1] / "toy_plugin" / "benchbox_toy.py"

METRICS = """
import numpy as np
from benchbox import Display, Metric, Prepared, Scorer, hookimpl

class Scored(Prepared):
    def __init__(self, reference): self.reference = reference
    def score(self, image): return float(np.abs(image.astype(float) - self.reference).mean())

class Opened(Scorer):
    def prepare(self, reference): return Scored(reference)

class Mae(Metric):
    def open(self, device): return Opened()

@hookimpl
def benchbox_metrics():
    return [Mae("mae", "MAE", "1", "", "lower", Display("MAE")), Mae("eam", "EAM", "1", "", "higher", Display("EAM"))]
"""


CURVES = """
from benchbox import Reference, hookimpl

def curve(dataset, bpp):
    return Reference("mine", "Mine", dataset, "means over pictures", "us", bpp, {"psnr": (30.0, 33.0, 36.0, 39.0)})

@hookimpl
def benchbox_references():
    return [curve("kodak", (0.1, 0.2, 0.4, 0.8)), curve("tecnick", (0.8, 0.4, 0.2, 0.1))]
"""


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


def rules(out: str, heading: str) -> dict[str, tuple[str, str]]:
    """Rule -> (verdict, what is said) below a heading."""
    below = out[out.index(f"{heading}\n") + len(heading) + 1 :]
    found = {}
    for line in below.splitlines():
        if not line.startswith("  "):
            break
        verdict, rule, said = re.split(r"  +", f"{line.strip()}  ", maxsplit=2)
        found[rule] = (verdict, said.strip())
    return found


def test_a_sound_codec_in_a_file_passes(call: Call) -> None:
    code, out, err = call("check", "--plugin", str(TOY))
    assert (code, err) == (0, "")
    assert rules(out, "plugin benchbox_toy") == {"loads": ("pass", "")}
    verdicts = {rule: verdict for rule, (verdict, _) in rules(out, "codec toy").items()}
    assert {"names", "options", "identity", "deterministic", "round_trip", "damage"} <= set(verdicts)
    assert "fail" not in verdicts.values()
    assert re.search(r"^\d+ passed, 0 failed, \d+ not applicable\n$", out.splitlines(keepends=True)[-1])


def test_a_broken_rule_is_one_line_with_place_and_remedy(install: Install, call: Call) -> None:
    source = TOY.read_text(encoding="utf-8")
    install("acme", source.replace("        kept = image >>", "        return image\n        kept = image >>"))
    code, out, _ = call("check", "toy")
    assert code == 1
    failed = {rule: said for rule, (verdict, said) in rules(out, "codec toy").items() if verdict == "fail"}
    assert set(failed) == {"types"}
    assert "ndarray" in failed["types"]
    assert re.search(r"\(acme\.py:\d+\)", failed["types"])
    assert ", 1 failed, " in out.splitlines()[-1]
    (kept_back,) = (line for line in out.splitlines() if "not tried" in line)
    assert re.fullmatch(r"  not applicable  (\d+) rules +not tried, since rule 'types' failed", kept_back)
    counts = [int(word) for word in re.findall(r"\d+", out.splitlines()[-1])]
    assert sum(counts) == len(testing.codec_checks(registry.load().codec("toy")))


@pytest.mark.slow
def test_a_rule_that_takes_long_is_announced(tmp_path: Path) -> None:
    source = TOY.read_text(encoding="utf-8")
    slow = source.replace("        kept = image >>", "        import time; time.sleep(8 * (image.shape[1] == 65))\n"
                          "        kept = image >>")  # fmt: skip
    (tmp_path / "slow.py").write_text(slow, encoding="utf-8")
    command = [sys.executable, "-P", "-m", "benchbox", "check", "--plugin", "slow.py"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        said = run.stderr.readline()
        run.terminate()
    assert said == "toy (plugin slow): rule 'types' has taken 5 s so far and is ended after 120 s\n"


def test_a_metric_and_a_data_set_are_checked(install: Install, call: Call) -> None:
    install("acme", METRICS)
    code, out, _ = call("check", "mae", "samples")
    assert code == 0
    assert rules(out, "metric mae")["order"] == ("pass", "")
    assert rules(out, "data set samples")["pixels"] == ("pass", "")
    code, out, _ = call("check", "acme")  # the plugin's name: all that it offers
    assert code == 1
    assert rules(out, "plugin acme") == {"loads": ("pass", "")}
    assert rules(out, "metric mae")["order"][0] == "pass"
    assert "stronger noise" in rules(out, "metric eam")["order"][1]


def test_a_published_curve_is_checked_on_each_data_set(install: Install, call: Call) -> None:
    install("acme", CURVES)
    code, out, _ = call("check", "mine")
    assert code == 1
    assert rules(out, "published curve mine on kodak")["points"] == ("pass", "")
    assert rules(out, "published curve mine on tecnick")["points"][0] == "fail"


def test_options_are_checked_as_they_are_given(call: Call) -> None:
    code, out, _ = call("check", "qoi", "folder:/no/such/folder")
    assert code == 1
    assert "fail" not in {verdict for verdict, _ in rules(out, "codec qoi").values()}
    failed = [said for verdict, said in rules(out, "data set folder:/no/such/folder").values() if verdict == "fail"]
    assert len(failed) == 1
    assert "/no/such/folder" in failed[0]


def test_a_plugin_that_does_not_load_fails(install: Install, call: Call) -> None:
    install("acme", "import no_such_library")
    code, out, _ = call("check", "acme")
    assert code == 1
    verdict, said = rules(out, "plugin acme")["loads"]
    assert verdict == "fail"
    assert said.startswith("ModuleNotFoundError: No module named 'no_such_library'; install it")
    code, _, err = call("check", "acme-codec")
    assert code == 2
    assert "acme of acme is not in use (ModuleNotFoundError: No module named 'no_such_library'" in err


def test_a_hook_that_is_called_on_demand_only_is_checked_too(install: Install, call: Call) -> None:
    install("acme", CURVES.replace("    return [curve", "    1 / 0\n    return [curve"))
    code, out, _ = call("check", "acme")
    assert code == 1
    verdict, said = rules(out, "plugin acme")["loads"]
    assert verdict == "fail"
    assert re.fullmatch(r"benchbox_references raised ZeroDivisionError: division by zero \(acme\.py:\d+\)", said)


def test_what_is_not_here_says_so(install: Install, call: Call) -> None:
    install("acme", TOY.read_text(encoding="utf-8") + "\n\nToyInfo.unavailable = lambda self: 'no zlib; install it'\n")
    code, out, _ = call("check", "toy")
    assert code == 1
    assert rules(out, "codec toy") == {"available": ("fail", "toy: no zlib; install it")}


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "nothing to check; name an id (benchbox check jpeg) or a file (benchbox check --plugin FILE)"),
    (["jpegg"], "nothing that can be checked is called 'jpegg'; did you mean 'jpeg'?"),
    (["psnr:x=1"], "metric psnr takes no options: write psnr, not psnr:x=1"),
    (["samples:3"], "data set samples takes no options: write samples, not samples:3"),
    (["folder"], "data set folder needs an argument: write folder:PATH"),
    (["webp:methid=6"], "webp: unknown option 'methid'; did you mean 'method'?"),
    (["--plugin", "/no/such.py"], "plugin file /no/such.py: there is no such file; check the path (in a plan it starts "
     "from the plan's folder)"),
])
def test_a_wrong_request_is_one_line(arguments: list[str], message: str, call: Call) -> None:
    assert call("check", *arguments) == (2, "", f"benchbox: {message}\n")
