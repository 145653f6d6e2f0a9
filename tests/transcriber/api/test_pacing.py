"""Pacing: calls in flight adapt to a quota that is unknown, and instances that share nothing share it."""

import random
from collections import deque

import pytest
from support.quotas import Account, Form, Quota

from transcriber.api.pacing import Pacing

MINUTE = 60.0
HOUR_CHUNKS, CHUNK_SECONDS = 12, 300.0


def pacing(*, max_calls: int = 8, chance: float = 0.0) -> Pacing:
    return Pacing(max_calls=max_calls, minute_seconds=MINUTE, random=lambda: chance)


@pytest.mark.parametrize("form", ["fixed", "sliding", "bucket"])
@pytest.mark.parametrize(("instances", "call_seconds"), [(1, 5), (1, 15), (8, 5), (8, 15)])
def test_instances_share_a_quota(form: Form, instances: int, call_seconds: float) -> None:
    """Twenty hours of audio are done in little more time than the quota allows, with few refusals, and none starves."""
    account = Account(Quota(form), instances=instances, seed=7, call_seconds=call_seconds, upload_seconds=1)
    outcome = account.run(recordings=20, chunks=HOUR_CHUNKS)
    assert outcome.accepted == 20 * HOUR_CHUNKS
    assert outcome.refused <= 3 * outcome.accepted
    assert outcome.ended_at <= 1.2 * 20 * HOUR_CHUNKS * CHUNK_SECONDS / 1800 * MINUTE
    # A run of 890 s has a call of its own accepted.
    assert max(outcome.longest_without.values()) < 890


def test_many_chunks_of_one_instance_need_no_minute_each() -> None:
    """Without a quota, the calls in flight grow to their limit, and no call waits."""
    account = Account(Quota("fixed", seconds=1e9), instances=1, seed=1, call_seconds=15, upload_seconds=1)
    outcome = account.run(recordings=1, chunks=40)
    assert outcome.refused == 0
    assert outcome.ended_at < 15 * (40 / 8 + 4) * 1.3


def test_client_that_waits_is_not_starved_by_a_backlog() -> None:
    """Beside seven instances with a backlog, a client's 45 minutes of audio are done before messages' are."""
    ends = {}
    for is_interactive in (False, True):
        waits = []
        for seed in range(5):
            account = Account(Quota("sliding"), instances=8, seed=seed, call_seconds=10, upload_seconds=1)
            account.instances[0].is_interactive = is_interactive
            waits.append(account.run(recordings=16, chunks=HOUR_CHUNKS).longest_without[0])
        ends[is_interactive] = sum(waits)
    assert ends[True] < ends[False] / 2


def test_calls_in_flight_grow_and_are_halved_once_for_a_burst() -> None:
    """From two, by one a success, up to the limit; a burst of refusals halves them once."""
    paced = pacing()
    assert paced.window == 2
    for _ in range(10):
        paced.succeed(paced.start(0))
    assert paced.window == 8
    calls = [paced.start(1) for _ in range(8)]
    for call in calls[:6]:
        paced.refuse(call, 2)
    assert paced.window == 4
    for call in calls[6:]:
        paced.succeed(call)
    assert paced.window == 4  # accepted before the congestion


def test_one_probes_after_a_refusal() -> None:
    """After the pause one call starts; the next one only when the first was not refused in the time refusals take."""
    paced = pacing()
    paced.refuse(paced.start(0), 3)
    pause = paced.wait_seconds(3)
    assert pause == pytest.approx(MINUTE / 16)
    paced.window = 4
    paced.start(10)
    assert paced.wait_seconds(10) == 6
    assert paced.wait_seconds(16) == 0


def test_pauses_grow_to_a_minute_of_the_quota() -> None:
    """Repeated refusals without a word on how long make the pauses grow, up to a minute for who has a turn."""
    for has_turn, longest in ((False, 0.6 * MINUTE), (True, MINUTE)):
        paced, now, pauses = pacing(), 0.0, []
        for _ in range(8):
            if has_turn:
                paced._accepted_at = deque([now])  # its own room is a minute away
            paced.refuse(paced.start(now), now)
            pauses.append(paced.wait_seconds(now))
            now += pauses[-1] + 0.001
        assert pauses == pytest.approx(sorted(pauses))
        assert pauses[-1] == pytest.approx(longest, rel=0.01)


def test_stated_wait_is_obeyed_and_not_believed_for_ever() -> None:
    """A wait that the API states is kept to; one that proves too short again and again grows all the same."""
    paced, now, pauses = pacing(), 0.0, []
    for _ in range(8):
        paced.refuse(paced.start(now), now, stated_seconds=0.25)
        pauses.append(paced.wait_seconds(now))
        now += pauses[-1] + 0.001
    assert pauses[0] == 0.25
    assert pauses[-1] == pytest.approx(0.6 * MINUTE)
    paced = pacing()
    paced.refuse(paced.start(0), 0, stated_seconds=100)
    assert paced.wait_seconds(0) == 100


def test_own_room_ends_a_pause() -> None:
    """A pause ends when the oldest call of the instance's own leaves the minute."""
    paced = pacing()
    paced.succeed(paced.start(0))
    paced._pause = MINUTE
    paced.refuse(paced.start(50), 50)
    assert paced.wait_seconds(50) == 10


def test_pauses_spread_out() -> None:
    """Instances that were refused together do not return together, whether or not a wait was stated."""
    for stated in (None, 20.0):
        chances = random.Random(3)  # noqa: S311 # a simulation
        ends = set()
        for _ in range(50):
            paced = Pacing(max_calls=8, minute_seconds=MINUTE, random=chances.random)
            paced.refuse(paced.start(0), 0, stated_seconds=stated)
            ends.add(round(paced.wait_seconds(0), 2))
            assert paced.wait_seconds(0) >= (stated or MINUTE / 32)
        assert len(ends) > 30
