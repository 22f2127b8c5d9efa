"""Dependent quantisation: properties of the state machine, and the gain of the search along it."""

import math

import numpy as np
import pytest

pytest.importorskip("torch")

from benchbox_resnet.coding.adapter import Adapter
from benchbox_resnet.coding.dependent import NEXT, UNION, came_from, point
from benchbox_resnet.coding.tables import build_tables, latent_bounds, latent_pmfs, symbol_statistics
from benchbox_resnet.network.config import GRID, LATENT_TABLES, SCALE_COUNT, SCALE_MIN, SCALE_STEP, ModelConfig

CONFIG = ModelConfig(hyper=1, qualities=2)
TABLES = build_tables(CONFIG, np.zeros((2, 1)), np.ones((2, 1)))
COSTS = TABLES.costs(256)[:LATENT_TABLES]


def test_two_quantisers_share_zero_and_take_turns_elsewhere() -> None:
    ks = range(-9, 10)
    even, odd = ({point(k, state) for k in ks} for state in (0, 1))
    assert even == {2 * UNION * k for k in ks}
    assert odd == {UNION * (2 * k - (k > 0) + (k < 0)) for k in ks}
    assert even & odd == {0}
    for state in range(8):
        assert [point(-k, state) for k in ks] == [-point(k, state) for k in ks]


def test_every_state_is_led_to_by_two_and_leads_to_both_quantisers_within_two_symbols() -> None:
    assert sorted(NEXT.flatten()) == sorted([*range(8)] * 2)
    for state in range(8):
        assert NEXT[state, 0] != NEXT[state, 1]
        after_two = {int(NEXT[NEXT[state, a], b]) & 1 for a in (0, 1) for b in (0, 1)}
        assert after_two == {0, 1}
    reached = {0}
    for _ in range(3):
        reached = {int(to) for state in reached for to in NEXT[state]}
    assert len(reached) == 8  # three symbols after a state that is given, all are open


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("state", range(8))
def test_the_way_back_is_that_of_the_machine(state: int, upper: int) -> None:
    before, parity = came_from(state, upper << state)
    assert NEXT[before, parity] == state
    assert before >> 2 == upper


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_tables_of_all_kinds_are_symmetric_and_whole(kind: int) -> None:
    of_kind = slice(kind * SCALE_COUNT, (kind + 1) * SCALE_COUNT)
    for pmf, bound in zip(latent_pmfs()[of_kind], latent_bounds()[of_kind], strict=True):
        assert len(pmf) == 2 * bound + 1
        np.testing.assert_allclose(pmf, pmf[::-1])
        assert pmf.min() > 0
        assert 0.99 < pmf.sum() <= 1 + 1e-9  # the widest leave some to the escape


def coded_at(scale: int, dependent_from: int, seed: int, worth: float) -> tuple[float, float]:
    """Bits and squared error per symbol, in rounding steps, of Laplace noise with the scale of its table."""
    spread = SCALE_MIN * math.exp(scale * SCALE_STEP)
    rng = np.random.default_rng(seed)
    halves = [rng.laplace(0, spread / math.sqrt(2), (24, 24, 64)).astype(np.float32) for _ in "12"]
    statistics = symbol_statistics(CONFIG, TABLES)
    side = Adapter(statistics["features"], statistics["expected"], np.zeros(128, np.bool_), dependent_from)
    bits = error = 0.0
    for half in halves:
        guess = np.full(half.shape, scale, np.uint8)
        symbols, coded, taken = side.encode(half, guess, COSTS, np.full(128, worth, np.float32), 32000)
        bits += COSTS[taken, np.minimum(np.abs(coded), 255)].sum(dtype=np.float64)
        error += float(np.square(symbols / GRID - half)[..., 3:].mean())
    return bits / (2 * halves[0].size), error / 2


@pytest.mark.parametrize(("scale", "least"), [(20, 0.07), (26, 0.09), (34, 0.09)])
def test_it_saves_bits_at_the_same_error_where_tables_are_wide(scale: int, least: float) -> None:
    """Compared at 6.02 dB per bit; the granular gain of eight states is at most 0.17 bits (Marcellin and Fischer:
    1.1 dB of 1.53)."""
    plain, plain_error = coded_at(scale, 64, 1, 40.0)
    dependent, error = coded_at(scale, 0, 1, 40.0)
    saved = plain - dependent + 0.5 * math.log2(plain_error / error)
    assert least < saved < 0.2


def test_what_is_narrow_is_rounded_plainly() -> None:
    """Below `dependent_from` symbols do not depend on the ones before: they are the nearest whole steps."""
    rng = np.random.default_rng(2)
    half = rng.laplace(0, 0.4, (9, 11, 40)).astype(np.float32)
    statistics = symbol_statistics(CONFIG, TABLES)
    guess = np.full(half.shape, 11, np.uint8)
    side = Adapter(statistics["features"], statistics["expected"], np.zeros(80, np.bool_), 12)
    symbols, coded, taken = side.encode(half, guess, COSTS, np.full(80, 1e6, np.float32), 32000)
    np.testing.assert_array_equal(symbols[:, :, 2:], GRID * np.rint(half[:, :, 2:]))
    assert taken.max() < SCALE_COUNT
    assert (GRID * coded == symbols)[:, :, 2:].all()


@pytest.mark.parametrize("dependent_from", [0, SCALE_COUNT])
def test_errors_weigh_more_at_positions_with_a_greater_weight(dependent_from: int) -> None:
    statistics = symbol_statistics(CONFIG, TABLES)
    rng = np.random.default_rng(5)
    half = rng.laplace(0, 1.5, (12, 12, 40)).astype(np.float32)
    guess, worth = np.full(half.shape, 20, np.uint8), np.full(80, 6.0, np.float32)
    local = np.ones(half.shape[:2], np.float32)
    local[6:], local[:6, :6] = 8.0, 0.25

    def errors(local: np.ndarray | None) -> np.ndarray:
        side = Adapter(statistics["features"], statistics["expected"], np.zeros(80, np.bool_), dependent_from)
        side.encode(half, guess, COSTS, worth, 32000)  # the second half predicts nothing by itself
        symbols, _, _ = side.encode(half, guess, COSTS, worth, 32000, local)
        return np.asarray(np.square(symbols / GRID - half).mean(2))

    usual, weighted = errors(None), errors(local)
    np.testing.assert_array_equal(usual, errors(np.ones_like(local)))
    assert weighted[6:].mean() < 0.95 * usual[6:].mean()
    assert weighted[:6, :6].mean() > 1.2 * usual[:6, :6].mean()
