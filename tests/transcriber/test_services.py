"""What an instance takes over from the platform."""

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
def test_memory_for_chunks_follows_from_the_functions(context: Any, most_mib: int) -> None:
    """The memory that the platform states decides how much audio is in flight; where it states none, it is 256 MB."""
    services = Services({"GENERATIVE_API_KEY": "key"})
    services.set_memory(context)
    assert services.transcriber.max_memory_bytes == most_mib * MIB
