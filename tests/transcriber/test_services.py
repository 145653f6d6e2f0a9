"""What an instance learns from the platform."""

from typing import Any

import pytest

from transcriber.services import Services

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("context", "most_mib"),
    [
        ({"memoryLimitInMb": 512, "functionName": "transcribe", "functionVersion": ""}, 336),
        ({"memoryLimitInMb": 256}, 80),
        ({"memoryLimitInMb": "512"}, 80),
        ({"memoryLimitInMb": 0}, 80),
        ({}, 80),
        (None, 80),
    ],
)
def test_chunks_may_hold_what_the_platform_gives(context: Any, most_mib: int) -> None:
    """The memory that the platform states decides how much audio is in flight; where it states none, it is 256 MB."""
    instance = Services({"GENERATIVE_API_KEY": "key"})
    instance.learn(context)
    assert instance.transcriber.max_held_bytes == most_mib * MIB
