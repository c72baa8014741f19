"""The retry policy as one table: what happened, to what kind of operation, and what follows."""

from __future__ import annotations

import pytest
from tests.support.tables import case

from cld_user_groups._engine.retry import Decision, Effect, FollowUp, Lost, decide, longest_wait
from cld_user_groups.utils import BackoffStrategy, RetryConfig

READ, CREATE, REPLACE, REMOVE, ADD = Effect
WRITES = (CREATE, REPLACE, REMOVE, ADD)
AGAIN, UP, DONE = "again", "up", "done"
AGAIN_MAYBE, UP_MAYBE = "again, maybe applied", "up, maybe applied"

#                            read   create    replace      remove       add
TABLE: dict[object, tuple[str, str, str, str, str]] = {
    Lost.NOT_SENT:          (AGAIN, AGAIN,    AGAIN,       AGAIN,       AGAIN),
    Lost.NO_RESPONSE:       (AGAIN, UP_MAYBE, AGAIN_MAYBE, AGAIN_MAYBE, AGAIN_MAYBE),
    Lost.REFUSED:           (UP,    UP,       UP,          UP,          UP),
    Lost.UNKNOWN:           (UP,    UP_MAYBE, UP_MAYBE,    UP_MAYBE,    UP_MAYBE),
    200:                    (UP,    UP_MAYBE, UP_MAYBE,    UP_MAYBE,    UP_MAYBE),
    299:                    (UP,    UP_MAYBE, UP_MAYBE,    UP_MAYBE,    UP_MAYBE),
    300:                    (UP,    UP,       UP,          UP,          UP),
    302:                    (UP,    UP,       UP,          UP,          UP),
    400:                    (UP,    UP,       UP,          UP,          UP),
    401:                    (UP,    UP,       UP,          UP,          UP),
    403:                    (UP,    UP,       UP,          UP,          UP),
    404:                    (UP,    UP,       UP,          UP,          UP),
    408:                    (AGAIN, AGAIN,    AGAIN,       AGAIN,       AGAIN),
    409:                    (UP,    UP,       UP,          UP,          UP),
    420:                    (AGAIN, AGAIN,    AGAIN,       AGAIN,       AGAIN),
    422:                    (UP,    UP,       UP,          UP,          UP),
    425:                    (UP,    UP,       UP,          UP,          UP),
    429:                    (AGAIN, AGAIN,    AGAIN,       AGAIN,       AGAIN),
    499:                    (UP,    UP,       UP,          UP,          UP),
    500:                    (AGAIN, UP_MAYBE, AGAIN_MAYBE, AGAIN_MAYBE, AGAIN_MAYBE),
    501:                    (UP,    UP,       UP,          UP,          UP),
    502:                    (AGAIN, UP_MAYBE, AGAIN_MAYBE, AGAIN_MAYBE, AGAIN_MAYBE),
    503:                    (AGAIN, AGAIN,    AGAIN,       AGAIN,       AGAIN),
    504:                    (AGAIN, UP_MAYBE, AGAIN_MAYBE, AGAIN_MAYBE, AGAIN_MAYBE),
    505:                    (UP,    UP,       UP,          UP,          UP),
    520:                    (UP,    UP_MAYBE, UP_MAYBE,    UP_MAYBE,    UP_MAYBE),
    599:                    (UP,    UP_MAYBE, UP_MAYBE,    UP_MAYBE,    UP_MAYBE),
}  # fmt: skip
# The responses to a second request for a write that was applied before.
IN_PLACE = ((CREATE, 409), (REMOVE, 404), (ADD, 409))
MEANS = {
    AGAIN: (FollowUp.RETRY, False),
    AGAIN_MAYBE: (FollowUp.RETRY, True),
    UP: (FollowUp.RAISE, False),
    UP_MAYBE: (FollowUp.RAISE, True),
}


def decided(effect: Effect, happened: int | Lost, **changes: object) -> Decision:
    arguments: dict[str, object] = {
        "attempt": 1,
        "spent": 0.0,
        "server_delay": None,
        "maybe_applied": False,
        "maybe_forwarded": False,
        "config": RetryConfig(),
        "jitter": 0.5,
    }
    return decide(effect, happened, **{**arguments, **changes})  # type: ignore[arg-type]


CELLS = [
    (effect, happened, outcome)
    for happened, row in TABLE.items()
    for effect, outcome in zip(Effect, row, strict=True)
]


def test_first_attempt_follows_the_table() -> None:
    for effect, happened, outcome in CELLS:
        with case(effect, happened):
            decision = decided(effect, happened)
            assert (decision.follow_up, decision.maybe_applied) == MEANS[outcome]


def test_once_maybe_applied_a_write_stays_so() -> None:
    for effect, happened, outcome in CELLS:
        with case(effect, happened):
            decision = decided(effect, happened, maybe_applied=True)
            if (effect, happened) in IN_PLACE:
                assert decision == (FollowUp.VERIFY, 0.0, True)
            else:
                assert (decision.follow_up, decision.maybe_applied) == (MEANS[outcome][0], True)


def test_after_a_retried_503_only_signs_of_a_write_in_place_are_verified() -> None:
    for effect, happened, outcome in CELLS:
        with case(effect, happened):
            decision = decided(effect, happened, maybe_forwarded=True)
            follow_up, is_ambiguous = MEANS[outcome]
            if (effect, happened) in IN_PLACE:
                assert decision == (FollowUp.VERIFY, 0.0, True)
                continue
            is_last_word = follow_up is FollowUp.RAISE and effect in WRITES and happened != 503
            expected = (follow_up, is_ambiguous or is_last_word)
            assert (decision.follow_up, decision.maybe_applied) == expected


def test_a_quota_that_is_used_up_after_a_503_leaves_a_write_unknown() -> None:
    config = RetryConfig(retry_throttled=False)
    for effect in WRITES:
        decision = decided(effect, 420, maybe_forwarded=True, config=config)
        assert decision == (FollowUp.RAISE, 0.0, True)
    assert not decided(READ, 420, maybe_forwarded=True, config=config).maybe_applied


def test_without_retries_nothing_is_sent_again_and_the_rest_holds() -> None:
    for effect, happened, outcome in CELLS:
        with case(effect, happened):
            decision = decided(effect, happened, config=None)
            assert (decision.follow_up, decision.maybe_applied) == (
                FollowUp.RAISE,
                "maybe" in outcome,
            )


@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize("happened", [Lost.NOT_SENT, Lost.NO_RESPONSE])
def test_connection_errors_are_not_retried_where_that_is_off(
    effect: Effect, happened: Lost
) -> None:
    config = RetryConfig(retry_connection_errors=False)
    assert decided(effect, happened, config=config).follow_up is FollowUp.RAISE


@pytest.mark.parametrize("effect", Effect)
def test_statuses_are_retried_where_only_connection_errors_are_not(effect: Effect) -> None:
    config = RetryConfig(retry_connection_errors=False)
    assert decided(effect, 503, config=config).follow_up is FollowUp.RETRY


@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize(
    ("status", "follow_up"),
    [(420, FollowUp.RAISE), (429, FollowUp.RAISE), (408, FollowUp.RETRY), (503, FollowUp.RETRY)],
)
def test_throttled_requests_alone_are_not_retried_where_that_is_off(
    effect: Effect, status: int, follow_up: FollowUp
) -> None:
    config = RetryConfig(retry_throttled=False)
    assert decided(effect, status, config=config).follow_up is follow_up


@pytest.mark.parametrize(
    ("attempt", "jitter", "delay"),
    [(1, 0.0, 0.0), (1, 1.0, 0.5), (2, 1.0, 1.0), (3, 0.5, 1.0), (5, 1.0, 8.0), (99, 1.0, 8.0)],
)
def test_wait_is_random_up_to_a_limit_that_grows(attempt: int, jitter: float, delay: float) -> None:
    assert decided(READ, 503, attempt=attempt, jitter=jitter).delay == delay


def test_servers_delay_goes_before_the_backoff() -> None:
    assert decided(READ, 503, server_delay=12.5).delay == 12.5


@pytest.mark.parametrize(("spent", "follow_up"), [(18.0, FollowUp.RETRY), (18.001, FollowUp.RAISE)])
def test_wait_must_end_within_the_time(spent: float, follow_up: FollowUp) -> None:
    assert decided(READ, 429, spent=spent, server_delay=12.0).follow_up is follow_up


@pytest.mark.parametrize("server_delay", [31.0, 1e15, float("inf")])
def test_longer_delay_than_there_is_time_is_raised_at_once(server_delay: float) -> None:
    assert decided(READ, 429, server_delay=server_delay).follow_up is FollowUp.RAISE


def test_no_time_means_one_attempt() -> None:
    config = RetryConfig(backoff=BackoffStrategy(max_elapsed_time=0))
    assert decided(READ, 503, config=config).follow_up is FollowUp.RAISE


@pytest.mark.parametrize("attempt", [1, 10, 10_000, 10**9])
def test_limit_of_the_wait_never_overflows(attempt: int) -> None:
    backoff = BackoffStrategy(1, 50, 1e300, 100)
    assert longest_wait(backoff, attempt) <= 0.05


def test_documented_configuration_is_accepted() -> None:
    config = RetryConfig("backoff", BackoffStrategy(1, 50, 1.1, 100), False)
    decision = decided(READ, 503, config=config, jitter=1.0)
    assert decision == (FollowUp.RETRY, 0.001, False)


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"initial_interval": -1}, ValueError, "initial_interval"),
        ({"max_interval": float("nan")}, ValueError, "max_interval"),
        ({"exponent": 0.5}, ValueError, "exponent"),
        ({"max_elapsed_time": float("inf")}, ValueError, "max_elapsed_time"),
        ({"initial_interval": "1"}, TypeError, "initial_interval"),
        ({"exponent": True}, TypeError, "exponent"),
    ],
)
def test_invalid_backoff_is_rejected(
    arguments: dict[str, object], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        BackoffStrategy(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"strategy": "linear"}, ValueError, "strategy"),
        ({"backoff": {}}, TypeError, "backoff"),
        ({"retry_connection_errors": 1}, TypeError, "retry_connection_errors"),
        ({"retry_throttled": 1}, TypeError, "retry_throttled"),
    ],
)
def test_invalid_retry_configuration_is_rejected(
    arguments: dict[str, object], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=named):
        RetryConfig(**arguments)  # type: ignore[arg-type]
